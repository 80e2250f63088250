import { corrupt } from './error.ts';

/**
 * The bytes of BTF.
 *
 * ```text
 *   0 magic u16 0xeb9f   2 version u8   3 flags u8   4 hdr_len u32
 *   8 type_off u32  12 type_len u32  16 str_off u32  20 str_len u32      (offsets count from hdr_len)
 *
 *   struct btf_type:  0 name_off u32   4 info u32   8 size or type u32   12 what the kind adds
 *   info:             bits 0-15 vlen   24-28 kind   31 kind_flag
 * ```
 *
 * Split BTF, such as a module's, goes on where its base ends: its ids and its string offsets count from there.
 *
 * Source: Documentation/bpf/btf.rst and include/uapi/linux/btf.h of the kernel.
 */
export interface RawBtf {
  readonly bytes: Uint8Array;
  readonly view: DataView;
  readonly littleEndian: boolean;
  readonly typesStart: number;
  readonly typesEnd: number;
  readonly stringsStart: number;
  readonly stringsEnd: number;
  /** What this one goes on from. */
  readonly base: RawBtf | undefined;
  /** The id of the first type, and the offset of the first string, that are in these bytes. */
  readonly firstId: number;
  readonly firstString: number;
}

/** The kinds by number, with libbpf's names; 0 is void. */
export const kinds = [
  'void',
  'int',
  'ptr',
  'array',
  'struct',
  'union',
  'enum',
  'fwd',
  'typedef',
  'volatile',
  'const',
  'restrict',
  'func',
  'func_proto',
  'var',
  'datasec',
  'float',
  'decl_tag',
  'type_tag',
  'enum64',
] as const;

/** A kind of type: BTF_KIND_* in lower case, as libbpf prints it. */
export type BtfKind = (typeof kinds)[number];

const MAGIC = 0xeb9f;
const HEADER_BYTES = 24;
/** Of `struct btf_type`. */
export const TYPE_BYTES = 12;
/** Of `struct btf_member`, and of `struct btf_var_secinfo` and `struct btf_enum64`. */
export const ENTRY_BYTES = 12;
/** Of `struct btf_enum` and `struct btf_param`. */
export const SHORT_ENTRY_BYTES = 8;

/** The bytes that each kind adds to `struct btf_type`: fixed, and for each of its vlen entries. */
const extra: Readonly<Record<BtfKind, readonly [fixed: number, each: number]>> = {
  void: [0, 0],
  int: [4, 0],
  ptr: [0, 0],
  array: [12, 0],
  struct: [0, ENTRY_BYTES],
  union: [0, ENTRY_BYTES],
  enum: [0, SHORT_ENTRY_BYTES],
  fwd: [0, 0],
  typedef: [0, 0],
  volatile: [0, 0],
  const: [0, 0],
  restrict: [0, 0],
  func: [0, 0],
  func_proto: [0, SHORT_ENTRY_BYTES],
  var: [4, 0],
  datasec: [0, ENTRY_BYTES],
  float: [0, 0],
  decl_tag: [4, 0],
  type_tag: [0, 0],
  enum64: [0, ENTRY_BYTES],
};

/** The same by kind number, for the scan: all bytes but those of the entries; 0 for what is no kind. */
const fixedBytes = new Uint8Array(32);
const entryBytes = new Uint8Array(32);
kinds.forEach((kind, number) => {
  fixedBytes[number] = kind === 'void' ? 0 : TYPE_BYTES + extra[kind][0];
  entryBytes[number] = extra[kind][1];
});

/** Reads the header and checks that the sections lie inside the bytes. No type is looked at. */
export function readHeader(bytes: Uint8Array, base?: RawBtf, firstId = 1): RawBtf {
  if (bytes.byteLength < HEADER_BYTES)
    corrupt(0, `${bytes.byteLength} bytes are too few for its header of ${HEADER_BYTES}`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const littleEndian = view.getUint16(0, true) === MAGIC;
  if (!littleEndian && view.getUint16(0, false) !== MAGIC)
    corrupt(0, `the magic is 0x${view.getUint16(0, true).toString(16)}, not 0xeb9f`);
  if (view.getUint8(2) !== 1) corrupt(2, `version ${view.getUint8(2)} is unknown; this reads version 1`);
  if (base && base.littleEndian !== littleEndian) corrupt(0, 'its byte order is not that of its base');

  const headerBytes = view.getUint32(4, littleEndian);
  const section = (at: number): [number, number] => {
    const start = headerBytes + view.getUint32(at, littleEndian);
    const end = start + view.getUint32(at + 4, littleEndian);
    if (headerBytes < HEADER_BYTES || end > bytes.byteLength)
      corrupt(at, `a section of bytes ${start}..${end} does not lie in the ${bytes.byteLength} bytes given`);
    return [start, end];
  };
  const [typesStart, typesEnd] = section(8);
  const [stringsStart, stringsEnd] = section(16);
  const firstString = base ? base.firstString + base.stringsEnd - base.stringsStart : 0;
  return { bytes, view, littleEndian, typesStart, typesEnd, stringsStart, stringsEnd, base, firstId, firstString };
}

export const kindNumber = (info: number): number => (info >>> 24) & 0x1f;
export const vlen = (info: number): number => info & 0xffff;
export const kindFlag = (info: number): boolean => info >>> 31 === 1;

/** The bytes of a type; 0 when its kind is unknown. */
export const typeBytes = (info: number): number =>
  (fixedBytes[kindNumber(info)] as number) + (entryBytes[kindNumber(info)] as number) * vlen(info);

/** Says what is wrong with a type that {@link typeBytes} does not know, or that ends behind the others. */
export function corruptType(raw: RawBtf, at: number): never {
  const info = at + TYPE_BYTES <= raw.typesEnd ? raw.view.getUint32(at + 4, raw.littleEndian) : undefined;
  if (info !== undefined && typeBytes(info) === 0) corrupt(at + 4, `kind ${kindNumber(info)} is unknown`);
  corrupt(at, 'the type section ends inside a type');
}

/** The bytes that hold a string: these, or those that they go on from. */
export function stringOwner(raw: RawBtf, offset: number): RawBtf {
  let owner = raw;
  while (offset < owner.firstString && owner.base) owner = owner.base;
  return owner;
}

/** Where in its owner a string starts. */
export const stringStart = (owner: RawBtf, offset: number): number => owner.stringsStart + offset - owner.firstString;

/** The NUL-terminated string at an offset of the string section. */
export function readString(raw: RawBtf, offset: number): string {
  if (offset === 0) return '';
  const owner = stringOwner(raw, offset);
  const start = stringStart(owner, offset);
  let text = '';
  for (let at = start; ; at++) {
    if (at >= owner.stringsEnd) corrupt(start, 'a string does not end inside the string section');
    const byte = owner.bytes[at] as number;
    if (byte === 0) return text;
    text += String.fromCharCode(byte);
  }
}

/** Whether the string at an offset is this one, given as its bytes. */
export function stringIs(raw: RawBtf, offset: number, name: Uint8Array): boolean {
  const owner = stringOwner(raw, offset);
  const start = stringStart(owner, offset);
  if (start + name.length >= owner.stringsEnd) return false;
  const { bytes } = owner;
  for (let i = 0; i < name.length; i++) if (bytes[start + i] !== name[i]) return false;
  return bytes[start + name.length] === 0;
}

/** A name as the bytes that BTF has for it. */
export function nameBytes(name: string): Uint8Array {
  const bytes = new Uint8Array(name.length);
  for (let i = 0; i < name.length; i++) bytes[i] = name.charCodeAt(i);
  return bytes;
}
