import { BtfError } from '../error.ts';

/** Where in a value something is: a list from the inside out, whose text is made when something is wrong. */
export interface Path {
  readonly parent: Path | undefined;
  /** A field's name, or an index; changed as a struct or array goes on. */
  step: string | number;
}

/** A value that does not fit. */
export function misfit(path: Path | undefined, message: string): never {
  throw new BtfError('INVALID_VALUE', `${pathText(path) || 'the value'}: ${message}`);
}

function pathText(path: Path | undefined): string {
  if (!path) return '';
  const before = pathText(path.parent);
  if (typeof path.step === 'number') return `${before}[${path.step}]`;
  return before === '' ? path.step : `${before}.${path.step}`;
}

/** A value for a message, short. */
export function show(value: unknown): string {
  if (typeof value === 'bigint') return `${value}n`;
  if (typeof value === 'string') return `'${value.length > 40 ? `${value.slice(0, 40)}…` : value}'`;
  if (Array.isArray(value)) return `an array of ${value.length}`;
  return typeof value === 'object' && value !== null ? 'an object' : String(value);
}
