/** A map that is not what it was said to be. `field` is what differs. */
export class MapError extends Error {
  override readonly name = 'MapError';
  readonly code = 'MISMATCH';
  readonly field: string;
  readonly expected: string | number;
  readonly actual: string | number;

  constructor(map: string, field: string, expected: string | number, actual: string | number) {
    super(`${map} has ${field} ${actual}, not ${expected}: the program that made it and this one disagree`);
    this.field = field;
    this.expected = expected;
    this.actual = actual;
  }
}
