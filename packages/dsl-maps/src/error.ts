/** A sequence that was asked for what cannot work: `code` says which, the message what can. */
export class MapAccessError extends Error {
  override readonly name = 'MapAccessError';
  readonly code: 'STACK_RANGE' | 'REGISTER_CLOBBERED' | 'NUMBER_RANGE';

  constructor(code: MapAccessError['code'], message: string) {
    super(message);
    this.code = code;
  }
}
