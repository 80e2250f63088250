import type { Btf, BtfType } from '@bpf/btf';
import { type AnySchema, schemaOf } from '@bpf/btf/data';
import { errnoName } from '@bpf/sys';
import { text } from '../map/values.ts';
import { printable } from '../terminal.ts';
import { ipv4, ipv6, sockaddrText } from './address.ts';
import { BYTES_AT, SOCKADDR_PARTS, STRING_BYTES } from './record.ts';
import type { Value } from './value.ts';

/** A value of a call: for JSON, and for people. */
export interface Shown {
  readonly json: unknown;
  readonly text: string;
}

/** What shows a value, from the bytes of a record. */
export type Show = (record: Uint8Array, at: number) => Shown;

/** How a value is shown, by its type. */
export function showOf(btf: Btf, value: Value): Show {
  const { kind, field, pointer } = value;
  const show = kind === 'string' ? showString : kind === 'sockaddr' ? showSockaddr : showBytes(btf, value);
  if (kind === 'bytes' && !field) return show;
  // A field is so far from where its struct is, which may be nowhere.
  const offset = BigInt(kind === 'bytes' || !pointer ? (field?.offset ?? 0) : 0);
  return (record, at) => {
    const view = viewOf(record);
    const [address, result] = [view.getBigUint64(at, true), view.getInt32(at + 8, true)];
    if (result >= 0) return show(record, at + BYTES_AT);
    return { json: null, text: address === offset ? 'NULL' : `${hex(address)} (not in memory)` };
  };
}

/** Without a NUL within what is shown, it was cut. */
const showString: Show = (record, at) => {
  const bytes = record.subarray(at, at + STRING_BYTES + 1);
  const end = bytes.indexOf(0);
  const json = new TextDecoder().decode(bytes.subarray(0, end < 0 ? STRING_BYTES : end));
  return { json, text: `${printable(JSON.stringify(json))}${end < 0 ? '…' : ''}` };
};

const showSockaddr: Show = (record, at) => {
  const bytes = SOCKADDR_PARTS.reduce((sum, part) => sum + part, 0);
  const json = sockaddrText(record.subarray(at, at + bytes));
  return { json, text: printable(json) };
};

function showBytes(btf: Btf, { name, typeId, field }: Value): Show {
  const type = btf.type(btf.resolve(typeId));
  if (field?.bitfield) {
    const { offset, size } = field.bitfield;
    const cut = isSigned(type) ? BigInt.asIntN : BigInt.asUintN;
    return (record, at) => number(cut(size, viewOf(record, at, field.size).getBigUint64(0, true) >> BigInt(offset)));
  }
  if (type.kind === 'ptr')
    return (record, at) => {
      const address = viewOf(record).getBigUint64(at, true);
      return { json: hex(address), text: address === 0n ? 'NULL' : hex(address) };
    };
  const declared = btf.type(typeId).name;
  if (declared === '__be16') return (record, at) => number(viewOf(record).getUint16(at));
  if (declared === '__be32' && /addr/.test(name)) return (record, at) => plainText(ipv4(record.subarray(at, at + 4)));
  if (type.name === 'in6_addr') return (record, at) => plainText(ipv6(record.subarray(at, at + 16)));
  const schema = schemaOf(btf, typeId);
  const isName = type.kind === 'enum' || type.kind === 'enum64';
  return (record, at) => {
    const json = readable(schema, schema.decode(record, at));
    if (typeof json === 'string') return { json, text: isName ? json : printable(JSON.stringify(json)) };
    return { json, text: text(json) };
  };
}

const isSigned = (type: BtfType): boolean =>
  type.kind === 'int' ? type.encoding === 'signed' : (type.kind === 'enum' || type.kind === 'enum64') && type.signed;

/** What a function returned, as a number or an address: with the name of the error when it is one. */
export function withErrno({ json, text }: Shown): Shown {
  const value = typeof json === 'string' && /^0x/.test(json) ? BigInt.asIntN(64, BigInt(json)) : json;
  if (typeof value !== 'number' && typeof value !== 'bigint') return { json, text };
  const name = value < 0 && value > -4096 ? errnoName(-Number(value)) : undefined;
  return name === undefined || /^errno/.test(name) ? { json, text } : { json, text: `${value} ${name}` };
}

/** Pointers are hexadecimal wherever they are. */
function readable({ shape }: AnySchema, value: unknown): unknown {
  if (shape.kind === 'ptr') return hex(value as bigint);
  if (shape.kind === 'array') return (value as unknown[]).map((element) => readable(shape.element, element));
  if (shape.kind !== 'struct' && shape.kind !== 'union') return value;
  const fields = value as Readonly<Record<string, unknown>>;
  return Object.fromEntries(shape.fields.map(({ name, schema }) => [name, readable(schema, fields[name])]));
}

const hex = (address: bigint): string => `0x${address.toString(16)}`;
const number = (json: number | bigint): Shown => ({ json, text: String(json) });
const plainText = (json: string): Shown => ({ json, text: json });

/** Of so many bytes, and zeros up to eight; or of all. */
function viewOf(record: Uint8Array, at = 0, size?: number): DataView {
  if (size === undefined) return new DataView(record.buffer, record.byteOffset, record.byteLength);
  const bytes = new Uint8Array(8);
  bytes.set(record.subarray(at, at + size));
  return new DataView(bytes.buffer);
}
