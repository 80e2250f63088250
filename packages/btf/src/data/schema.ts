import { BtfError } from '../error.ts';
import { misfit, type Path } from './path.ts';

/**
 * How a value lies in bytes: what decodes and encodes it. Made by {@link u32} and its like, {@link struct} and
 * {@link array}, or from BTF by {@link schemaOf}. Sizes and alignments are in bytes, as C has them.
 *
 * `Value` is what decoding gives, `Input` what encoding takes: more for enums, one member for unions.
 */
export interface Schema<Value, Input = Value> {
  readonly size: number;
  readonly align: number;
  /** What it is, as plain data. */
  readonly shape: Shape;

  /**
   * Decodes the value at `offset`.
   *
   * @throws BtfError `INVALID_VALUE` when the bytes end before it does
   */
  decode(bytes: Uint8Array, offset?: number): Value;

  /** Encodes a value into new bytes; padding is zero. @throws BtfError `INVALID_VALUE`, with the path of what is wrong */
  encode(value: Input): Uint8Array;

  /**
   * Encodes a value into `bytes` at `offset`; padding is zeroed, and nothing behind the value is touched. On an error the
   * bytes of the value are undefined.
   *
   * @throws BtfError `INVALID_VALUE`
   */
  encodeInto(value: Input, bytes: Uint8Array, offset?: number): void;

  /** Decodes at `at`, where as many bytes as its size are known to be. */
  read(view: DataView, at: number): Value;

  /** Encodes at `at`, where as many zeroed bytes as its size are known to be. */
  write(view: DataView, at: number, value: Input, path: Path | undefined): void;
}

/** Any schema, whatever its values are. */
export type AnySchema = Schema<unknown, never>;

/**
 * What decoding a schema gives.
 *
 * @example
 * ```ts
 * const Task = struct({ pid: u32, comm: char(16) });
 * type Task = Infer<typeof Task>; // { pid: number; comm: string }
 * ```
 */
export type Infer<S extends AnySchema> = S extends Schema<infer Value, never> ? Value : never;

/** What encoding a schema takes. */
export type InferInput<S extends AnySchema> = S extends { encode(value: infer Input): Uint8Array } ? Input : never;

/** What a schema is. */
export type Shape =
  | { readonly kind: 'int'; readonly signed: boolean }
  /** `bits`: a bitfield, which starts within the first byte. */
  | { readonly kind: 'bool' | 'float' | 'char' | 'bytes' | 'ptr' | 'bits' }
  | { readonly kind: 'array'; readonly element: AnySchema; readonly length: number }
  | { readonly kind: 'struct' | 'union'; readonly fields: readonly ShapeField[] }
  | { readonly kind: 'enum'; readonly signed: boolean; readonly values: readonly ShapeValue[] };

export interface ShapeField {
  readonly name: string;
  readonly offset: number;
  readonly schema: AnySchema;
}

export interface ShapeValue {
  readonly name: string;
  readonly value: number | bigint;
}

/** A schema from the functions that read and write its values. */
export function makeSchema<Value, Input = Value>(
  size: number,
  align: number,
  shape: Shape,
  read: (view: DataView, at: number) => Value,
  write: (view: DataView, at: number, value: Input, path: Path | undefined) => void,
): Schema<Value, Input> {
  const check = (length: number, offset: number): void => {
    if (!Number.isInteger(offset) || offset < 0)
      misfit(undefined, `the offset is ${offset}, not a whole number from 0`);
    if (offset + size > length) misfit(undefined, `it takes ${size} bytes at ${offset}, and there are ${length}`);
  };
  return {
    size,
    align,
    shape,
    read,
    write,
    decode(bytes, offset = 0) {
      check(bytes.byteLength, offset);
      return read(new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength), offset);
    },
    encode(value) {
      const bytes = new Uint8Array(size);
      write(new DataView(bytes.buffer), 0, value, undefined);
      return bytes;
    },
    encodeInto(value, bytes, offset = 0) {
      check(bytes.byteLength, offset);
      bytes.fill(0, offset, offset + size);
      write(new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength), offset, value, undefined);
    },
  };
}

/** For a schema that cannot be. */
export function invalidSchema(message: string): never {
  throw new BtfError('INVALID_TYPE', message);
}
