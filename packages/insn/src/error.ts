/** What can be wrong with an instruction or a program: the `code` of an {@link InsnError}. */
export type InsnErrorCode =
  | 'UNKNOWN_NAME'
  | 'IMMEDIATE_RANGE'
  | 'OFFSET_RANGE'
  | 'LABEL_UNKNOWN'
  | 'LABEL_DUPLICATE'
  | 'JUMP_RANGE'
  | 'MAP_UNKNOWN'
  | 'LENGTH'
  | 'SYNTAX';

/** An instruction that cannot be encoded, or a program that cannot be assembled. */
export class InsnError extends Error {
  override readonly name = 'InsnError';
  readonly code: InsnErrorCode;

  constructor(code: InsnErrorCode, message: string) {
    super(message);
    this.code = code;
  }
}

/** Throws an error that says where, what and why not. */
export function refuse(code: InsnErrorCode, where: string | number, what: unknown, wanted: string): never {
  throw new InsnError(code, `${typeof where === 'number' ? 'slot ' : ''}${where}: ${what} is not ${wanted}`);
}
