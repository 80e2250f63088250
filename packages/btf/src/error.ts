/** What can be wrong with BTF, or with a question about it: the `code` of a {@link BtfError}. */
export type BtfErrorCode =
  | 'CORRUPT'
  | 'NOT_FOUND'
  | 'NOT_A_STRUCT'
  | 'NOT_A_FUNCTION'
  | 'NO_SIZE'
  | 'CROSSES_POINTER'
  | 'BITFIELD'
  | 'SYNTAX';

/** BTF that cannot be read, or a type or member that it does not hold. */
export class BtfError extends Error {
  override readonly name = 'BtfError';
  readonly code: BtfErrorCode;
  /** Where in the bytes the fault lies, for `CORRUPT`. */
  readonly byteOffset: number | undefined;

  constructor(code: BtfErrorCode, message: string, byteOffset?: number) {
    super(byteOffset === undefined ? message : `BTF is corrupt at byte ${byteOffset}: ${message}`);
    this.code = code;
    this.byteOffset = byteOffset;
  }
}

export function corrupt(byteOffset: number, message: string): never {
  throw new BtfError('CORRUPT', message, byteOffset);
}
