export { checkLayout } from './check-layout.ts';
export { decodeValue, encodeValue, schemaOf } from './from-btf.ts';
export type { AnySchema, Infer, InferInput, Schema, Shape, ShapeField, ShapeValue } from './schema.ts';
export { bytes, char } from './text.ts';
export { type SchemaTypes, schemaToBtf } from './to-btf.ts';
export {
  array,
  bool,
  enumOf,
  f32,
  f64,
  type SchemaFields,
  type StructInput,
  type StructSchema,
  type StructValue,
  s8,
  s16,
  s32,
  s64,
  struct,
  type UnionInput,
  u8,
  u16,
  u32,
  u64,
  union,
} from './types.ts';
