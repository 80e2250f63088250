/** A builder that was asked for what cannot work: `code` says which, the message what can. Of all `@bpf/dsl` packages. */
export class DslError extends Error {
  override readonly name = 'DslError';
  readonly code:
    | 'ARGUMENT_SIZE'
    | 'COMM'
    | 'FIELD_SIZE'
    | 'FORMAT'
    | 'LABEL_DUPLICATE'
    | 'NO_ARGUMENT'
    | 'NO_FUNCTION'
    | 'NOT_A_POINTER'
    | 'NUMBER_RANGE'
    | 'REGISTER_CLOBBERED'
    | 'RETURN_VALUE'
    | 'STACK_RANGE'
    | 'UNKNOWN_FIELD'
    | 'UNKNOWN_TARGET';

  constructor(code: DslError['code'], message: string) {
    super(message);
    this.code = code;
  }
}
