import { type Btf, BtfError } from '@bpf/btf';
import { type AnySchema, bytes, char, type Schema, s64, schemaOf, u64 } from '@bpf/btf/data';
import { type IterTarget, iterTargets } from '@bpf/dsl-iter';
import { defaultFields, elements } from './defaults.ts';

/** A field of an iterator's element, found in the kernel's types. */
export interface IterFieldPlace {
  /** As it was written. */
  readonly path: string;
  /** The field of the context that it is in, and the way from there: none for a number of the context itself. */
  readonly object: string;
  readonly inner: string | undefined;
  /** How it lies in the record. */
  readonly schema: AnySchema;
  /** What it is for people. */
  readonly show: (value: unknown) => string | number | bigint;
}

/** Strings behind pointers, whose length nobody knows, are cut. */
const STRING_BYTES = 64;

/**
 * Finds a field by its path, such as 'real_parent.tgid', or 'task.comm' for another object of the context.
 *
 * @throws BtfError with near names when there is none
 */
function findField(btf: Btf, target: IterTarget, path: string): IterFieldPlace {
  const [first = ''] = path.split(/[.[]/, 1);
  const context: Readonly<Record<string, number>> = iterTargets[target];
  if (first in context && first !== 'meta') {
    if (path === first && !isPointer(btf, target, first))
      return { path, object: first, inner: undefined, schema: u64, show: plain };
    if (path.startsWith(`${first}.`)) return placeOf(btf, target, path, first, path.slice(first.length + 1));
  }
  return placeOf(btf, target, path, elements[target], path);
}

/**
 * The fields that are shown: those that were asked for, `pid,comm`, or the usual ones.
 *
 * @throws BtfError when one that was asked for is not there
 */
export function fieldsOf(btf: Btf, target: IterTarget, asked: string | undefined): IterFieldPlace[] {
  if (asked !== undefined) return asked.split(',').map((path) => findField(btf, target, path.trim()));
  // Of those that are shown unless told, a kernel may lack one.
  return defaultFields[target].flatMap((path) => {
    try {
      return [findField(btf, target, path)];
    } catch (error) {
      if (error instanceof BtfError) return [];
      throw error;
    }
  });
}

const isPointer = (btf: Btf, target: IterTarget, object: string): boolean =>
  btf.type(btf.resolve(btf.access(`bpf_iter__${target}`, object).typeId)).kind === 'ptr';

/** The name of the struct that a pointer of the context is to. */
export function structOf(btf: Btf, target: IterTarget, object: string): string {
  const { typeId } = btf.access(`bpf_iter__${target}`, object);
  const pointer = btf.type(btf.resolve(typeId));
  if (pointer.kind !== 'ptr') throw new Error(`'${object}' of iterator ${target} is no pointer`);
  return btf.type(btf.resolve(pointer.typeId)).name;
}

function placeOf(btf: Btf, target: IterTarget, path: string, object: string, inner: string): IterFieldPlace {
  const { typeId, size, bitfield } = btf.access(structOf(btf, target, object), inner);
  const type = btf.type(btf.resolve(typeId));
  const place = { path, object, inner };
  if (bitfield) return { ...place, schema: u64, show: plain };
  if (type.kind === 'ptr') {
    const to = type.typeId === 0 ? undefined : btf.type(btf.resolve(type.typeId));
    if (to?.kind === 'int' && to.size === 1) return { ...place, schema: char(STRING_BYTES), show: plain };
    return { ...place, schema: u64, show: (value) => `0x${(value as bigint).toString(16)}` };
  }
  if (type.kind === 'array') {
    const element = btf.type(btf.resolve(type.typeId));
    if (element.kind === 'int' && element.size === 1)
      return { ...place, schema: char(Math.min(type.length || STRING_BYTES, 128)), show: plain };
  }
  if (type.kind === 'int') return { ...place, ...number(btf, typeId, type.encoding === 'signed', inner) };
  if (type.kind === 'enum' || type.kind === 'enum64') {
    const names = schemaOf(btf, typeId) as Schema<unknown, unknown>;
    return { ...place, schema: type.signed ? s64 : u64, show: (value) => nameOf(names, value as bigint) };
  }
  if (size > 128) throw new Error(`'${path}' has ${size} bytes: name a field of it`);
  const isIpv6 = type.name === 'in6_addr';
  return {
    ...place,
    schema: bytes(size),
    show: isIpv6 ? ipv6 : (value) => Buffer.from(value as Uint8Array).toString('hex'),
  };
}

/** Numbers in network byte order are shown as what they mean. */
function number(btf: Btf, typeId: number, signed: boolean, path: string): Pick<IterFieldPlace, 'schema' | 'show'> {
  const declared = btf.type(typeId).name;
  if (declared === '__be16') return { schema: u64, show: (value) => swap16(Number(value)) };
  if (declared === '__be32' && /addr/.test(path)) return { schema: u64, show: (value) => ipv4(Number(value)) };
  return { schema: signed ? s64 : u64, show: plain };
}

const plain = (value: unknown): string | number | bigint => value as string | bigint;
const swap16 = (port: number): number => ((port & 0xff) << 8) | (port >> 8);
const ipv4 = (address: number): string => [0, 8, 16, 24].map((shift) => (address >>> shift) & 0xff).join('.');

function ipv6(value: unknown): string {
  const groups = new DataView((value as Uint8Array).slice().buffer);
  const text = Array.from({ length: 8 }, (_, i) => groups.getUint16(i * 2).toString(16)).join(':');
  // The longest run of zeros, the first of several.
  const [longest] = [...text.matchAll(/\b0(?::0)+\b/g)].map(([run]) => run).sort((a, b) => b.length - a.length);
  return longest === undefined ? text : text.replace(longest, text === longest ? '::' : ':').replace(/:{2,}/, '::');
}

function nameOf(names: Schema<unknown, unknown>, value: bigint): string | bigint {
  const wide = new Uint8Array(8);
  new DataView(wide.buffer).setBigInt64(0, BigInt.asIntN(64, value), true);
  const name = names.decode(wide.subarray(0, names.size));
  return typeof name === 'string' ? name : value;
}
