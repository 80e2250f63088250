import type { AnySchema, Schema } from '@bpf/btf/data';
import { type HasFd, type MapFd, mapLookupElem, mapUpdateElem } from '@bpf/sys';
import { compileReader } from './compile-reader.ts';

/** How keys or values go into bytes and come out of them: by a schema, or as they are. */
export interface Codec<Value, Input = Value> {
  readonly size: number;
  /** Values are bytes already, whose length the call checks. */
  readonly asIs?: true;
  /** Encoding runs nobody's code: of a struct, fields may be getters, which may use the map or close it. */
  readonly plain?: boolean;
  /** Decodes what lies at an offset; bytes are copied. */
  decode(bytes: Uint8Array, view: DataView, at: number): Value;
  /** Encodes to an offset, where as many bytes are as its size. */
  encode(value: Input, bytes: Uint8Array, view: DataView, at: number): void;
}

/** Up to here a loop is faster than `slice`. */
const SHORT = 32;

function copyShort(bytes: Uint8Array, at: number, size: number): Uint8Array {
  const copy = new Uint8Array(size);
  for (let i = 0; i < size; i++) copy[i] = bytes[at + i] as number;
  return copy;
}

/** Bytes of one length. `what` they are is for the error. */
export function bytesCodec(size: number, what: string): Codec<Uint8Array> {
  return {
    size,
    asIs: true,
    decode: size > SHORT ? (bytes, _, at) => bytes.slice(at, at + size) : (bytes, _, at) => copyShort(bytes, at, size),
    encode(value, bytes, _, at) {
      if (value.length !== size)
        throw new RangeError(`the ${what} has ${value.length} bytes, and those of this map have ${size}`);
      bytes.set(value, at);
    },
  };
}

export function schemaCodec<Value, Input>(schema: Schema<Value, Input>): Codec<Value, Input> {
  const { size } = schema;
  // An integer fills its bytes; of anything else the padding is to be zero.
  const simple = schema.shape.kind === 'int';
  const read = compileReader(schema);
  return {
    size,
    plain: simple,
    decode: (_, view, at) => read(view, at),
    encode(value, bytes, view, at) {
      if (!simple) bytes.fill(0, at, at + size);
      schema.write(view, at, value, undefined);
    },
  };
}

/** The codec of a schema when there is one, else bytes of this size. */
export function codecOf(schema: AnySchema | undefined, size: number, what: string): Codec<unknown, never> {
  return schema === undefined
    ? (bytesCodec(size, what) as Codec<unknown, never>)
    : schemaCodec(schema as Schema<unknown, never>);
}

/** @throws RangeError for what is no descriptor or id, as of a foreign object: it would become 0 on the way to the kernel */
export function numberOf(handle: HasFd | number): number {
  const number = typeof handle === 'number' ? handle : handle.fd;
  if (Number.isInteger(number) && number >= 0 && number <= 0xffff_ffff) return number;
  const what = typeof handle === 'number' ? 'id' : 'descriptor';
  throw new RangeError(`the ${what} is ${number}; it must be an integer from 0 on`);
}

/** A descriptor on its way in, and an id on its way out, in 4 bytes, or 8 where a map has room for it. */
export function handleCodec(size: number): Codec<number, HasFd | number> {
  return {
    size,
    decode: (_, view, at) => view.getUint32(at, true),
    encode: (handle, _, view, at) => view.setUint32(at, numberOf(handle), true),
  };
}

/** One value for each CPU, each rounded up to 8 bytes, as the kernel has them. */
export function perCpuCodec<Value, Input>(one: Codec<Value, Input>, cpus: number): Codec<Value[], readonly Input[]> {
  const stride = Math.ceil(one.size / 8) * 8;
  return {
    size: stride * cpus,
    decode: (bytes, view, at) => Array.from({ length: cpus }, (_, cpu) => one.decode(bytes, view, at + cpu * stride)),
    encode(values, bytes, view, at) {
      if (values.length !== cpus)
        throw new RangeError(
          `there are ${values.length} values, and this machine has ${cpus} possible CPUs: one for each`,
        );
      bytes.fill(0, at, at + stride * cpus);
      for (let cpu = 0; cpu < cpus; cpu++) one.encode(values[cpu] as Input, bytes, view, at + cpu * stride);
    },
  };
}

/**
 * The bytes of a key or value for a call. A number is put where the kernel reads it, which is in use from then on: what is
 * not plain goes first.
 */
export function put<Input>(codec: Codec<unknown, Input>, map: MapFd, part: 'key' | 'value', value: Input): Uint8Array {
  if (codec.asIs) return value as Uint8Array;
  if (codec.plain) {
    const { bytes, view } = map.elem[part];
    codec.encode(value, bytes, view, 0);
    return bytes;
  }
  const bytes = new Uint8Array(codec.size);
  codec.encode(value, bytes, new DataView(bytes.buffer), 0);
  return bytes;
}

/** What the kernel has put there. */
export const take = <Value>(codec: Codec<Value, never>, { elem: { value } }: MapFd): Value =>
  codec.decode(value.bytes, value.view, 0);

/** The value of a key, where the map has it. */
export function lookup<Value>(
  map: MapFd,
  key: Uint8Array,
  codec: Codec<Value, never>,
  flags: number = 0,
): Value | undefined {
  return mapLookupElem(map, key, map.elem.value.bytes, flags) ? take(codec, map) : undefined;
}

/** Replaces or makes an entry. @returns as {@link mapUpdateElem} */
export function update<Key, Value>(
  map: MapFd,
  keyCodec: Codec<unknown, Key>,
  key: Key,
  valueCodec: Codec<unknown, Value>,
  value: Value,
  flags: number,
): boolean {
  const early = valueCodec.plain ? undefined : put(valueCodec, map, 'value', value);
  const keyBytes = put(keyCodec, map, 'key', key);
  return mapUpdateElem(map, keyBytes, early ?? put(valueCodec, map, 'value', value), flags);
}
