/** A record starts with u32 length and flags, and u32 page offset, for the kernel; its bytes follow, padded to 8. */
export const HEADER_BYTES = 8;
/** Bit 30 of the length: the program took the record back. Bit 31, the sign, is set while it is being written. */
export const DISCARD_BIT: number = 1 << 30;
/** The longest record: 30 bits. */
export const MAX_RECORD_BYTES: number = DISCARD_BIT - 1;

/** The pages of a ring: what the kernel maps, or memory of a test. */
export interface RingMemory {
  /** A page that starts with how far the consumer is, 64 bits. */
  readonly consumer: Uint8Array;
  /** A page that starts with how far the producer is, 64 bits. */
  readonly producer: Uint8Array;
  /** The data area twice in a row, so that no record is cut. */
  readonly data: Uint8Array;
}

/** The bytes that a record takes in the ring. */
export function recordBytes(length: number): number {
  return (length + HEADER_BYTES + 7) & ~7;
}

/** The position in a page: a count of all bytes since the ring was made, which wraps into the data area. */
export function positionOf(page: Uint8Array): BigUint64Array {
  return new BigUint64Array(page.buffer, page.byteOffset, 1);
}
