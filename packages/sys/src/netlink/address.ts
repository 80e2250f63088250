import { isIP } from 'node:net';

/**
 * The bytes of an IPv4 or IPv6 address in network order, 4 or 16.
 *
 * @throws RangeError for what is none
 */
export function addressBytes(address: string): Uint8Array {
  const version = address.includes('%') ? 0 : isIP(address);
  if (version === 0) throw new RangeError(`'${address}' is no IP address: one is '10.1.2.3' or 'fc00::1'`);
  if (version === 4) return Uint8Array.from(address.split('.'), Number);
  // The last 32 bits may be written as IPv4.
  const hex = address.replace(/[^:]*\.[^:]*$/, (ipv4) => {
    const [a = 0, b = 0, c = 0, d = 0] = ipv4.split('.').map(Number);
    return `${((a << 8) | b).toString(16)}:${((c << 8) | d).toString(16)}`;
  });
  const [head = [], tail = []] = hex.split('::').map((part) => (part === '' ? [] : part.split(':')));
  const words = [...head, ...Array<string>(8 - head.length - tail.length).fill('0'), ...tail];
  return Uint8Array.from(words.flatMap((word) => [Number.parseInt(word, 16) >> 8, Number.parseInt(word, 16) & 0xff]));
}

/** A network's address and the length of its prefix. */
export interface Prefix {
  readonly address: Uint8Array;
  readonly bits: number;
}

/**
 * Reads '10.1.0.0/16' or 'fc00::1'; without a length it is one address.
 *
 * @throws RangeError for what is no prefix, and for one with bits behind its length
 */
export function prefixOf(text: string): Prefix {
  const [, host = text, length] = text.match(/^([^/]*)\/(\d{1,3})$/) ?? [];
  const address = addressBytes(host);
  const all = address.length * 8;
  const bits = length === undefined ? all : Number(length);
  if (bits > all) throw new RangeError(`'${text}' has a prefix of ${bits} bits; such addresses have ${all}`);
  const beyond = address.some((byte, i) => (byte & (0xff >> Math.min(8, Math.max(0, bits - 8 * i)))) !== 0);
  if (beyond) throw new RangeError(`'${text}' has bits behind its prefix of ${bits}: the kernel wants zeros there`);
  return { address, bits };
}
