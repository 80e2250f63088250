/** A builder that was asked for what cannot work: `code` says which, the message what can. */
export class FentryError extends Error {
  override readonly name = 'FentryError';
  readonly code:
    | 'NO_FUNCTION'
    | 'NO_ARGUMENT'
    | 'ARGUMENT_SIZE'
    | 'REGISTER_CLOBBERED'
    | 'STACK_RANGE'
    | 'NO_FIELD'
    | 'FIELD_SIZE'
    | 'NOT_A_POINTER'
    | 'COMM'
    | 'NUMBER_RANGE'
    | 'RETURN_VALUE';

  constructor(code: FentryError['code'], message: string) {
    super(message);
    this.code = code;
  }
}
