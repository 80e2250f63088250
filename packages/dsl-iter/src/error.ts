/** A builder that was asked for what cannot work: `code` says which, the message what can. */
export class IterError extends Error {
  override readonly name = 'IterError';
  readonly code: 'UNKNOWN_TARGET' | 'UNKNOWN_FIELD' | 'REGISTER_CLOBBERED';

  constructor(code: IterError['code'], message: string) {
    super(message);
    this.code = code;
  }
}
