import { styleText } from 'node:util';
import truncatedWidth from 'fast-string-truncated-width';

/** How many columns a terminal has; undefined when what is printed goes elsewhere. */
export function terminalWidth(): number | undefined {
  const { isTTY, columns } = process.stdout;
  // A console that does not know its width says 0.
  return isTTY ? columns || Number(process.env.COLUMNS) || undefined : undefined;
}

/** Colour, on a terminal that has it: NO_COLOR and FORCE_COLOR are honoured. */
export function styled(format: Parameters<typeof styleText>[0], text: string): string {
  return styleText(format, text, { stream: process.stdout });
}

const PLAIN = /^[\x20-\x7e]*$/;

/** A name may be anything, escape sequences included, which are not for the terminal. */
export function printable(text: string): string {
  if (PLAIN.test(text)) return text;
  return text.replace(
    /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu,
    (char) => `\\x${char.codePointAt(0)?.toString(16).padStart(2, '0')}`,
  );
}

/** How many columns a text takes: some characters take two. */
export function widthOf(text: string): number {
  return PLAIN.test(text) ? text.length : truncatedWidth(text).width;
}

/** At most so many columns of a text, the last of them … when there was more. */
export function cut(text: string, width: number): string {
  if (widthOf(text) <= width) return text;
  let start = '';
  let room = width - 1;
  for (const { segment } of new Intl.Segmenter().segment(text)) {
    room -= widthOf(segment);
    if (room < 0) break;
    start += segment;
  }
  return `${start}…`;
}
