import { InvalidArgumentError } from 'commander';

export const JSON_LINES = 'print one JSON object a line';

/** A whole number from 1 on. */
export function count(text: string): number {
  const number = Number(text);
  if (!Number.isInteger(number) || number < 1 || number > 0xffff_ffff)
    throw new InvalidArgumentError('it wants a whole number from 1 on.');
  return number;
}
