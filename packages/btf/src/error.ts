/** What can be wrong with BTF, or with a question about it: the `code` of a {@link BtfError}. */
export type BtfErrorCode =
  | 'CORRUPT'
  | 'CORRUPT_ELF'
  | 'NOT_FOUND'
  | 'NOT_A_STRUCT'
  | 'NOT_A_FUNCTION'
  | 'NO_SIZE'
  | 'CROSSES_POINTER'
  | 'BITFIELD'
  | 'SYNTAX'
  | 'INVALID_TYPE'
  | 'INVALID_VALUE'
  | 'LAYOUT';

/** BTF that cannot be read or written, a type or member that it does not hold, a value that does not fit its type. */
export class BtfError extends Error {
  override readonly name = 'BtfError';
  readonly code: BtfErrorCode;
  /** Where in the bytes the fault lies, for `CORRUPT` and `CORRUPT_ELF`. */
  readonly byteOffset: number | undefined;

  constructor(code: BtfErrorCode, message: string, byteOffset?: number) {
    const what = code === 'CORRUPT_ELF' ? 'the ELF file' : 'BTF';
    super(byteOffset === undefined ? message : `${what} is corrupt at byte ${byteOffset}: ${message}`);
    this.code = code;
    this.byteOffset = byteOffset;
  }
}

export function corrupt(byteOffset: number, message: string): never {
  throw new BtfError('CORRUPT', message, byteOffset);
}
