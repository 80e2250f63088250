import type { Btf } from '@bpf/btf';
import { type AnySchema, schemaOf } from '@bpf/btf/data';
import { errnoName } from '@bpf/sys';
import { text } from '../map/values.ts';
import { printable } from '../terminal.ts';
import { ipv4, ipv6, sockaddrText } from './address.ts';
import { SOCKADDR_PARTS, STRING_BYTES, TEXT_AT } from './record.ts';
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
  if (value.kind === 'string') return showString;
  if (value.kind === 'sockaddr') return showSockaddr;
  return showBytes(btf, value);
}

const showString: Show = (record, at) => {
  const length = pointed(record, at);
  if (typeof length !== 'number') return length;
  const bytes = record.subarray(at + TEXT_AT, at + TEXT_AT + length);
  const end = bytes.indexOf(0);
  const json = new TextDecoder().decode(end < 0 ? bytes : bytes.subarray(0, end));
  return { json, text: `${printable(JSON.stringify(json))}${length === STRING_BYTES ? '…' : ''}` };
};

const showSockaddr: Show = (record, at) => {
  const result = pointed(record, at);
  if (typeof result !== 'number') return result;
  const bytes = SOCKADDR_PARTS.reduce((sum, part) => sum + part, 0);
  const json = sockaddrText(record.subarray(at + TEXT_AT, at + TEXT_AT + bytes));
  return { json, text: printable(json) };
};

/** What the helper returned; or how that is shown which it could not read. */
function pointed(record: Uint8Array, at: number): number | Shown {
  const view = viewOf(record);
  const [address, result] = [view.getBigUint64(at, true), view.getInt32(at + 8, true)];
  if (result >= 0) return result;
  return { json: null, text: address === 0n ? 'NULL' : `${hex(address)} (not in memory)` };
}

function showBytes(btf: Btf, { name, typeId, field }: Value): Show {
  const type = btf.type(btf.resolve(typeId));
  if (field?.bitfield) {
    const { offset, size } = field.bitfield;
    return (record, at) =>
      number(BigInt.asUintN(size, viewOf(record, at, field.size).getBigUint64(0, true) >> BigInt(offset)));
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

/** What a function returned: with the name of the error when it is one. */
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
