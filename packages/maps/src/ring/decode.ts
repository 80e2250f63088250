import type { Schema } from '@bpf/btf/data';
import { compileReader } from '../compile-reader.ts';

/** A schema that is only read with. */
export type Reads<T> = Schema<T, never>;

/** Makes a value of `length` bytes of `data` from `offset` on: decodes them, or copies them when there is no schema. */
export type Decode<T> = (data: Uint8Array, offset: number, length: number) => T;

export function decoderOf<T>(schema: Reads<T> | undefined): Decode<T> {
  if (schema === undefined) return (data, offset, length) => data.slice(offset, offset + length) as T;
  const read = compileReader(schema);
  const { size } = schema;
  let last: Uint8Array | undefined;
  let view: DataView;
  return (data, offset, length) => {
    if (length < size)
      throw new RangeError(`a record has ${length} bytes, and its schema ${size}: it is of another type`);
    if (data !== last) {
      last = data;
      view = new DataView(data.buffer, data.byteOffset, data.byteLength);
    }
    return read(view, offset);
  };
}
