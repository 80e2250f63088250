/** A builder that was asked for what cannot work: `code` says which, the message what can. */
export class IterError extends Error {
  override readonly name = 'IterError';
  readonly code:
    | 'UNKNOWN_TARGET'
    | 'UNKNOWN_FIELD'
    | 'REGISTER_CLOBBERED'
    | 'STACK_RANGE'
    | 'FORMAT'
    | 'FIELD_SIZE'
    | 'NUMBER_RANGE';

  constructor(code: IterError['code'], message: string) {
    super(message);
    this.code = code;
  }
}
