/** The bytes of netlink messages: struct nlmsghdr and struct nlattr of linux/netlink.h, in this machine's byte order. */
import { SysError } from '../error.ts';
import { LE } from '../memory.ts';

/** A message without its header. */
export interface NlMessage {
  /** NLMSG_* or RTM_*. */
  readonly type: number;
  /** NLM_F_*. */
  readonly flags: number;
  readonly seq: number;
  readonly payload: Uint8Array;
}

/** Attributes by their type; of several of one type the last, as the kernel itself reads them. */
export type NlAttributes = ReadonlyMap<number, Uint8Array>;

const HEADER_BYTES = 16;
const ATTR_HEADER_BYTES = 4;
const NLA_F_NESTED = 0x8000;
const NLA_TYPE_MASK = 0x3fff;
const EBADMSG = 74;

const align4 = (length: number): number => (length + 3) & ~3;
const viewOf = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

/** A whole message: nlmsg_len 0, nlmsg_type 4, nlmsg_flags 6, nlmsg_seq 8, nlmsg_pid 12 (0: the kernel's), then the parts. */
export function message(type: number, flags: number, seq: number, ...parts: readonly Uint8Array[]): Uint8Array {
  const body = concat(parts);
  const bytes = new Uint8Array(HEADER_BYTES + body.byteLength);
  const view = viewOf(bytes);
  view.setUint32(0, bytes.byteLength, LE);
  view.setUint16(4, type, LE);
  view.setUint16(6, flags, LE);
  view.setUint32(8, seq, LE);
  bytes.set(body, HEADER_BYTES);
  return bytes;
}

/** An attribute: nla_len 0, nla_type 2, the payload, zeros up to a multiple of 4. */
export function attr(type: number, payload: Uint8Array): Uint8Array {
  const length = ATTR_HEADER_BYTES + payload.byteLength;
  if (length > 0xffff) throw new RangeError(`an attribute of ${payload.byteLength} bytes; it holds at most 65531`);
  const bytes = new Uint8Array(align4(length));
  viewOf(bytes).setUint16(0, length, LE);
  viewOf(bytes).setUint16(2, type, LE);
  bytes.set(payload, ATTR_HEADER_BYTES);
  return bytes;
}

/** An attribute of 32 bits; a negative number is its two's complement. */
export function attrU32(type: number, value: number): Uint8Array {
  const payload = new Uint8Array(4);
  viewOf(payload).setUint32(0, value, LE);
  return attr(type, payload);
}

/** An attribute of text in UTF-8, with its NUL. */
export function attrString(type: number, text: string): Uint8Array {
  if (text.includes('\0'))
    throw new RangeError(`the text ${JSON.stringify(text)} holds a NUL, at which the kernel ends it`);
  return attr(type, new TextEncoder().encode(`${text}\0`));
}

/** An attribute that holds attributes. */
export function attrNested(type: number, ...attributes: readonly Uint8Array[]): Uint8Array {
  return attr(type | NLA_F_NESTED, concat(attributes));
}

/**
 * The messages of a datagram. The payloads are views of `bytes`.
 *
 * @throws SysError 'EBADMSG' when a length points outside
 */
export function parseMessages(bytes: Uint8Array): NlMessage[] {
  const view = viewOf(bytes);
  const messages: NlMessage[] = [];
  for (let at = 0; at < bytes.byteLength; ) {
    const left = bytes.byteLength - at;
    const length = left < HEADER_BYTES ? 0 : view.getUint32(at, LE);
    if (length < HEADER_BYTES || length > left) throw malformed('a message', length, left);
    messages.push({
      type: view.getUint16(at + 4, LE),
      flags: view.getUint16(at + 6, LE),
      seq: view.getUint32(at + 8, LE),
      payload: bytes.subarray(at + HEADER_BYTES, at + length),
    });
    at += align4(length);
  }
  return messages;
}

/**
 * The attributes that follow a message's own structure, or lie in another attribute. They are views of `bytes`.
 *
 * @throws SysError 'EBADMSG' when a length points outside
 */
export function parseAttributes(bytes: Uint8Array): NlAttributes {
  const view = viewOf(bytes);
  const attributes = new Map<number, Uint8Array>();
  for (let at = 0; at < bytes.byteLength; ) {
    const left = bytes.byteLength - at;
    const length = left < ATTR_HEADER_BYTES ? 0 : view.getUint16(at, LE);
    if (length < ATTR_HEADER_BYTES || length > left) throw malformed('an attribute', length, left);
    attributes.set(view.getUint16(at + 2, LE) & NLA_TYPE_MASK, bytes.subarray(at + ATTR_HEADER_BYTES, at + length));
    at += align4(length);
  }
  return attributes;
}

/** The view of a message's own structure, checked to be there whole. */
export function structOf({ payload }: NlMessage, bytes: number): DataView {
  if (payload.byteLength < bytes) throw malformed('a structure', bytes, payload.byteLength);
  return viewOf(payload);
}

/** An attribute of 32 bits, where it is there. */
export function readU32(attributes: NlAttributes, type: number): number | undefined {
  const payload = attributes.get(type);
  if (payload === undefined) return undefined;
  if (payload.byteLength !== 4) throw malformed('a number', 4, payload.byteLength);
  return viewOf(payload).getUint32(0, LE);
}

/** An attribute of text up to its first NUL, where it is there. */
export function readString(attributes: NlAttributes, type: number): string | undefined {
  const payload = attributes.get(type);
  if (payload === undefined) return undefined;
  const end = payload.indexOf(0);
  return new TextDecoder().decode(end < 0 ? payload : payload.subarray(0, end));
}

function concat(parts: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.byteLength, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.byteLength;
  }
  return bytes;
}

function malformed(what: string, length: number, left: number): SysError {
  const hint = `the answer is malformed: ${what} of ${length} bytes where ${left} are left`;
  return new SysError({ code: 'EBADMSG', errno: EBADMSG, syscall: 'netlink', hint });
}
