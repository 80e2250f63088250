import type { BtfTypeData } from '../build/type-data.ts';
import { type AnySchema, invalidSchema, type Shape } from './schema.ts';

/** Types, and which of them is the schema's. */
export interface SchemaTypes {
  /** What `encodeBtf` takes. */
  readonly types: BtfTypeData[];
  readonly typeId: number;
}

const intNames: Readonly<Record<number, readonly [unsigned: string, signed: string]>> = {
  1: ['unsigned char', 'signed char'],
  2: ['unsigned short', 'short'],
  4: ['unsigned int', 'int'],
  8: ['unsigned long long', 'long long'],
};

/**
 * A schema as BTF types, for a map or an object to carry.
 *
 * @param name of the struct, union or enum; any other gets a typedef of this name
 * @param types where to add them, so that a key and a value, say, are in one BTF; integers are added once
 * @throws BtfError `INVALID_TYPE` for a schema of BTF's bitfields
 * @example
 * ```ts
 * const key = schemaToBtf(u32, 'pid');
 * const value = schemaToBtf(struct({ comm: char(16), seen: u64 }), 'task', key.types);
 * using btf = btfLoad(encodeBtf(value.types)); // key.typeId and value.typeId are the map's
 * ```
 */
export function schemaToBtf(schema: AnySchema, name: string, types: BtfTypeData[] = []): SchemaTypes {
  const { kind } = schema.shape;
  if (kind === 'struct' || kind === 'union' || kind === 'enum') return { types, typeId: add(types, schema, name) };
  const typeId = add(types, schema, '');
  return { types, typeId: types.push({ kind: 'typedef', name, typeId }) };
}

function add(types: BtfTypeData[], schema: AnySchema, name: string): number {
  const { shape, size } = schema;
  switch (shape.kind) {
    case 'int':
      return addInt(
        types,
        intNames[size]?.[shape.signed ? 1 : 0] ?? `int${size * 8}`,
        size,
        shape.signed ? 'signed' : 'unsigned',
      );
    case 'bool':
      return addInt(types, '_Bool', size, 'bool');
    case 'float':
      return addOnce(types, { kind: 'float', name: size === 4 ? 'float' : 'double', size });
    case 'ptr':
      return addOnce(types, { kind: 'ptr', typeId: 0 });
    case 'char':
      return addArray(types, addInt(types, 'char', 1, 'char'), size);
    case 'bytes':
      return addArray(types, addInt(types, 'unsigned char', 1, 'unsigned'), size);
    case 'array':
      return addArray(types, add(types, shape.element, ''), shape.length);
    case 'enum':
      return addEnum(types, shape, size, name);
    case 'struct':
    case 'union': {
      const members = shape.fields.map(({ name, offset, schema }) => ({
        name,
        typeId: add(types, schema, ''),
        bitOffset: offset * 8,
        bitSize: 0,
      }));
      return types.push({ kind: shape.kind, name, size, members });
    }
    default:
      return invalidSchema('a bitfield cannot be turned into BTF without the struct that it is of');
  }
}

function addEnum(types: BtfTypeData[], shape: Shape & { readonly kind: 'enum' }, size: number, name: string): number {
  // Signed ones are known since Linux 6.0: no others are marked than those that are.
  const signed = shape.signed && shape.values.some(({ value }) => value < 0);
  if (size === 8) {
    const values = shape.values.map(({ name, value }) => ({ name, value: BigInt(value) }));
    return types.push({ kind: 'enum64', name, size, signed, values });
  }
  const values = shape.values.map(({ name, value }) => ({ name, value: Number(value) }));
  return types.push({ kind: 'enum', name, size, signed, values });
}

function addArray(types: BtfTypeData[], typeId: number, length: number): number {
  return types.push({ kind: 'array', typeId, indexTypeId: addInt(types, 'unsigned int', 4, 'unsigned'), length });
}

function addInt(
  types: BtfTypeData[],
  name: string,
  size: number,
  encoding: (BtfTypeData & { kind: 'int' })['encoding'],
): number {
  return addOnce(types, { kind: 'int', name, size, bits: size * 8, bitOffset: 0, encoding });
}

/** The id of a type that refers to no other but void, which is added when it is not there. */
function addOnce(types: BtfTypeData[], type: BtfTypeData & { readonly kind: 'int' | 'float' | 'ptr' }): number {
  const same = (other: BtfTypeData): boolean => {
    if (other.kind !== type.kind || (other.name ?? '') !== (type.name ?? '')) return false;
    if (other.kind === 'ptr') return other.typeId === 0;
    if (other.kind === 'int' && type.kind === 'int' && other.encoding !== type.encoding) return false;
    return 'size' in other && 'size' in type && other.size === type.size;
  };
  return types.findIndex(same) + 1 || types.push(type);
}
