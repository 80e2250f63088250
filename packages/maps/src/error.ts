/** A map that is not what it was said to be. `field` is what differs: of the map, or of a key or a value. */
export class MapError extends Error {
  override readonly name = 'MapError';
  readonly code: 'MISMATCH' | 'NO_BTF';
  readonly field: string;

  constructor(code: MapError['code'], field: string, message: string, cause?: unknown) {
    super(message, { cause });
    this.code = code;
    this.field = field;
  }
}
