import { LE, type NativeMemory, type Scope } from './memory.ts';
import { type BPF_CMD, structs } from './uapi.gen.ts';

/** A command of bpf(2), in the kernel's spelling. */
export type BpfCmd = keyof typeof BPF_CMD;

/** The member of `union bpf_attr` that each command reads. */
const memberOf = {
  BPF_MAP_CREATE: 'map_create',
  BPF_MAP_LOOKUP_ELEM: 'map_elem',
  BPF_MAP_UPDATE_ELEM: 'map_elem',
  BPF_MAP_DELETE_ELEM: 'map_elem',
  BPF_MAP_GET_NEXT_KEY: 'map_elem',
  BPF_PROG_LOAD: 'prog_load',
  BPF_OBJ_PIN: 'obj',
  BPF_OBJ_GET: 'obj',
  BPF_PROG_ATTACH: 'prog_attach',
  BPF_PROG_DETACH: 'prog_attach',
  BPF_PROG_TEST_RUN: 'test',
  BPF_PROG_GET_NEXT_ID: 'get_id',
  BPF_MAP_GET_NEXT_ID: 'get_id',
  BPF_PROG_GET_FD_BY_ID: 'get_id',
  BPF_MAP_GET_FD_BY_ID: 'get_id',
  BPF_OBJ_GET_INFO_BY_FD: 'info',
  BPF_PROG_QUERY: 'query',
  BPF_RAW_TRACEPOINT_OPEN: 'raw_tracepoint',
  BPF_BTF_LOAD: 'btf_load',
  BPF_BTF_GET_FD_BY_ID: 'get_id',
  BPF_TASK_FD_QUERY: 'task_fd_query',
  BPF_MAP_LOOKUP_AND_DELETE_ELEM: 'map_elem',
  BPF_MAP_FREEZE: 'map_elem',
  BPF_BTF_GET_NEXT_ID: 'get_id',
  BPF_MAP_LOOKUP_BATCH: 'batch',
  BPF_MAP_LOOKUP_AND_DELETE_BATCH: 'batch',
  BPF_MAP_UPDATE_BATCH: 'batch',
  BPF_MAP_DELETE_BATCH: 'batch',
  BPF_LINK_CREATE: 'link_create',
  BPF_LINK_UPDATE: 'link_update',
  BPF_LINK_GET_FD_BY_ID: 'get_id',
  BPF_LINK_GET_NEXT_ID: 'get_id',
  BPF_ENABLE_STATS: 'enable_stats',
  BPF_ITER_CREATE: 'iter_create',
  BPF_LINK_DETACH: 'link_detach',
  BPF_PROG_BIND_MAP: 'prog_bind_map',
  BPF_TOKEN_CREATE: 'token_create',
  BPF_PROG_STREAM_READ_BY_FD: 'prog_stream_read',
  BPF_PROG_ASSOC_STRUCT_OPS: 'prog_assoc_struct_ops',
} as const;

type StructName = keyof typeof structs;
type FieldsOf<Name extends StructName> = (typeof structs)[Name]['fields'];
/** The fields of a structure, in the kernel's spelling. One that is undefined is left out. */
export type StructFields<Name extends StructName> = {
  readonly [Field in keyof FieldsOf<Name>]?:
    | (FieldsOf<Name>[Field] extends readonly [number, infer Type]
        ? Type extends `char[${string}]`
          ? string
          : Type extends 'u64'
            ? number | bigint
            : number
        : never)
    | undefined;
};
/** What a command's attr holds, in the kernel's spelling: `{ map_type: 1, key_size: 4 }`. Addresses are numbers. */
export type AttrFields<Command extends BpfCmd> = StructFields<(typeof memberOf)[Command]>;

/**
 * The bytes of `union bpf_attr` for a command, as long as the command's part of it, little-endian; fields that are left
 * out are zero. Pure: runs anywhere, calls nothing. The layout is that of include/uapi/linux/bpf.h.
 *
 * @throws RangeError for a value that its field cannot hold; TypeError for a field that the command does not have
 * @example
 * ```ts
 * encodeAttr('BPF_MAP_CREATE', { map_type: 1, key_size: 4, value_size: 8, max_entries: 16, map_name: 'counts' });
 * ```
 */
export function encodeAttr<Command extends BpfCmd>(command: Command, fields: AttrFields<Command>): Uint8Array {
  return encodeStruct(memberOf[command], fields);
}

/** The bytes of one of the structures. */
export function encodeStruct<Name extends StructName>(name: Name, fields: StructFields<Name>): Uint8Array {
  const out = new Uint8Array(structs[name].bytes);
  putStruct(name, new DataView(out.buffer), fields);
  return out;
}

/** The attr of one call, in native memory: fields can be read after it, whether it failed or not. */
export interface Attr<Command extends BpfCmd> {
  readonly command: Command;
  readonly memory: NativeMemory;
  /** The length that the kernel is told. */
  readonly bytes: number;
  set(fields: AttrFields<Command>): void;
  /** A field as a number: one of 64 bits only while it is below 2^53. */
  get(field: keyof AttrFields<Command> & string): number;
  /** Fields that are set and lie from this offset on: a kernel with a shorter attr does not know them. */
  fieldsFrom(offset: number): string[];
}

/** More than any kernel's `union bpf_attr`: some outputs are written at their place however short the attr was said to be. */
const ROOM = 256;

export function openAttr<Command extends BpfCmd>(
  scope: Scope,
  command: Command,
  fields: AttrFields<Command>,
): Attr<Command> {
  const member = memberOf[command];
  const memory = scope.alloc(ROOM);
  putStruct(member, memory.view, fields);
  return {
    command,
    memory,
    bytes: structs[member].bytes,
    set: (more) => putStruct(member, memory.view, more),
    get: (field) => Number(getField(memory.view, fieldOf(member, field))),
    fieldsFrom: (offset) =>
      Object.entries(structs[member].fields as Readonly<Record<string, Field>>)
        .filter(([, field]) => field[0] >= offset && Number(getField(memory.view, field)) !== 0)
        .map(([name]) => name),
  };
}

/** The fields of a structure that the kernel filled. */
type DecodedStruct<Name extends StructName> = {
  readonly [Field in keyof FieldsOf<Name>]: FieldsOf<Name>[Field] extends readonly [number, infer Type]
    ? Type extends `char[${string}]`
      ? string
      : Type extends 'u64'
        ? bigint
        : number
    : never;
};

/** A field of a structure that the kernel filled. */
export function readField<Name extends StructName, Field extends keyof FieldsOf<Name> & string>(
  name: Name,
  view: DataView,
  field: Field,
): DecodedStruct<Name>[Field] {
  return getField(view, fieldOf(name, field)) as DecodedStruct<Name>[Field];
}

type Field = readonly [offset: number, type: string];

function fieldOf(name: StructName, field: string): Field {
  const fields = structs[name].fields as Readonly<Record<string, Field>>;
  if (Object.hasOwn(fields, field)) return fields[field] as Field;
  throw new TypeError(`there is no field '${field}' in ${name}; its fields are ${Object.keys(fields).join(', ')}`);
}

/** Stores the fields that are given, each checked against what it can hold. */
export function putStruct<Name extends StructName>(name: Name, view: DataView, fields: StructFields<Name>): void {
  for (const field in fields) {
    const value = (fields as Record<string, unknown>)[field];
    if (value !== undefined) putField(view, fieldOf(name, field), field, value);
  }
}

function putField(view: DataView, [offset, type]: Field, what: string, value: unknown): void {
  if (type === 'u32') view.setUint32(offset, integer(what, value, 0, 0xffff_ffff), LE);
  else if (type === 's32') view.setInt32(offset, integer(what, value, -0x8000_0000, 0x7fff_ffff), LE);
  else if (type === 'u64') putU64(view, offset, what, value);
  else putChars(view, offset, Number(type.slice(type.indexOf('[') + 1, -1)), what, value);
}

function integer(what: string, value: unknown, min: number, max: number): number {
  if (Number.isInteger(value) && (value as number) >= min && (value as number) <= max) return value as number;
  throw new RangeError(`${what} is ${String(value)}; it must be an integer in ${min}..${max}`);
}

function putU64(view: DataView, offset: number, what: string, value: unknown): void {
  if (typeof value === 'bigint') {
    if (BigInt.asUintN(64, value) !== value) throw new RangeError(`${what} is ${value}; it must be in 0..2^64-1`);
    view.setBigUint64(offset, value, LE);
    return;
  }
  const number = integer(what, value, 0, Number.MAX_SAFE_INTEGER);
  view.setUint32(offset, number >>> 0, LE);
  view.setUint32(offset + 4, Math.floor(number / 2 ** 32), LE);
}

const encoder = new TextEncoder();

/** Text with its NUL. */
function putChars(view: DataView, offset: number, room: number, what: string, value: unknown): void {
  const bytes = encoder.encode(String(value));
  if (bytes.length >= room) throw new RangeError(`${what} is '${value}', which is longer than ${room - 1} bytes`);
  for (let i = 0; i < room; i++) view.setUint8(offset + i, bytes[i] ?? 0);
}

function getField(view: DataView, [offset, type]: Field): number | bigint | string {
  if (type === 'u32') return view.getUint32(offset, LE);
  if (type === 's32') return view.getInt32(offset, LE);
  if (type === 'u64') return view.getBigUint64(offset, LE);
  if (type.startsWith('bits:')) return view.getUint32(offset, LE) & (2 ** Number(type.slice(5)) - 1);
  const room = Number(type.slice(type.indexOf('[') + 1, -1));
  const bytes = new Uint8Array(view.buffer, view.byteOffset + offset, room);
  const end = bytes.indexOf(0);
  return new TextDecoder().decode(bytes.subarray(0, end < 0 ? room : end));
}
