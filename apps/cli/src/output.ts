import { once } from 'node:events';
import { printable } from './terminal.ts';

/** What is written at once, in characters, at least: a call for each line takes longer than to make it. */
const PIECE = 1 << 14;

/** Writes to standard output, no faster than it is read; what comes asynchronously, as it comes. */
export async function print(chunks: Iterable<string | Uint8Array> | AsyncIterable<string>): Promise<void> {
  if (Symbol.asyncIterator in chunks) for await (const chunk of chunks) await write(chunk);
  else for (const piece of inPieces(chunks)) await write(piece);
}

async function write(chunk: string | Uint8Array): Promise<void> {
  if (!process.stdout.write(chunk)) await once(process.stdout, 'drain');
}

function* inPieces(chunks: Iterable<string | Uint8Array>): Generator<string | Uint8Array> {
  let text = '';
  try {
    for (const chunk of chunks) {
      if (typeof chunk === 'string') text += chunk;
      if (text.length >= PIECE || (typeof chunk !== 'string' && text !== '')) {
        yield text;
        text = '';
      }
      if (typeof chunk !== 'string') yield chunk;
    }
  } catch (error) {
    // What was there before it went wrong is printed all the same.
    if (text !== '') yield text;
    throw error;
  }
  if (text !== '') yield text;
}

/** One JSON object a line; what is above 2^53 is a string, as JSON's numbers are not exact there. */
export function jsonLine(value: unknown): string {
  return `${JSON.stringify(value, (_, field) =>
    typeof field === 'bigint' ? (field >= -MAX && field <= MAX ? Number(field) : String(field)) : field,
  )}\n`;
}

const MAX = BigInt(Number.MAX_SAFE_INTEGER);

/** `name value`, a line each. */
export function fields(json: Readonly<Record<string, unknown>>): string {
  const width = Math.max(...Object.keys(json).map((name) => name.length));
  return Object.entries(json)
    .map(
      ([name, value]) =>
        `${name.padEnd(width)}  ${printable(Array.isArray(value) ? value.join(' ') : String(value))}\n`,
    )
    .join('');
}
