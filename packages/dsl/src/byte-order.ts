import { DslError } from './error.ts';

const littleEndian: boolean = /* @__PURE__ */ new Uint8Array(/* @__PURE__ */ Uint16Array.of(1).buffer)[0] === 1;

/**
 * A 16-bit number from this machine's byte order to the network's, or back: for ports to compare with.
 *
 * @throws DslError `NUMBER_RANGE` outside 0..0xffff
 * @example
 * ```ts
 * htons(8080); // 0x901f on a little-endian machine
 * ```
 */
export function htons(x: number): number {
  checkUnsigned('htons', x, 0xffff);
  return littleEndian ? ((x & 0xff) << 8) | (x >> 8) : x;
}

/**
 * A 32-bit number from this machine's byte order to the network's, or back: for IPv4 addresses to compare with. It may be
 * above 2^31, which the 64-bit jumps do not take: use `jeq32`.
 *
 * @throws DslError `NUMBER_RANGE` outside 0..0xffffffff
 * @example
 * ```ts
 * htonl(0x7f00_0001); // 0x0100007f on a little-endian machine
 * ```
 */
export function htonl(x: number): number {
  checkUnsigned('htonl', x, 0xffff_ffff);
  return littleEndian ? ((x << 24) | ((x & 0xff00) << 8) | ((x >> 8) & 0xff00) | (x >>> 24)) >>> 0 : x;
}

function checkUnsigned(what: string, x: number, max: number): void {
  if (!Number.isInteger(x) || x < 0 || x > max)
    throw new DslError('NUMBER_RANGE', `${what}: ${x} is not a whole number in 0..0x${max.toString(16)}`);
}
