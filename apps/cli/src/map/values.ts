import { jsonLine } from '../output.ts';
import { printable } from '../terminal.ts';

/** For JSON: bytes as hexadecimal digits. */
export function plain(value: unknown): unknown {
  if (value instanceof Uint8Array) return Buffer.from(value).toString('hex');
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value === 'object' && value !== null)
    return Object.fromEntries(Object.entries(value).map(([name, field]) => [name, plain(field)]));
  return value;
}

/** For people: on one line. */
export function text(value: unknown): string {
  const flat = plain(value);
  return printable(typeof flat === 'object' ? jsonLine(flat).trimEnd() : String(flat));
}
