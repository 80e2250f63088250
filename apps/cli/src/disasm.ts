import { decode, SLOT_BYTES } from '@bpf/insn';
import * as helpers from '@bpf/insn/helpers';
import { format as formatText } from '@bpf/insn/text';
import { jsonLines, nameOf, readInput } from './asm-io.ts';

/** `bpf disasm`: instructions to text. */
export async function disasm(
  file: string | undefined,
  { format, input }: { readonly format: string; readonly input: string },
): Promise<void> {
  const name = nameOf(file);
  const content = await readInput(file);
  const insns = decode(input === 'raw' ? whole(content, name) : parseHex(content.toString('latin1'), name));
  process.stdout.write(
    format === 'json' ? jsonLines(insns) : withLineEnd(formatText(insns, { labels: true, helpers })),
  );
}

function whole(bytes: Uint8Array, name: string): Uint8Array {
  const over = bytes.length % SLOT_BYTES;
  if (over === 0) return bytes;
  throw new Error(
    `${name}: byte ${bytes.length - over}: ${over} bytes are left over; an instruction slot has ${SLOT_BYTES}`,
  );
}

/** Sixteen digits a slot, with white space anywhere. */
function parseHex(text: string, name: string): Uint8Array {
  const digits = text.replace(/\s+/g, '');
  if (/[^0-9A-Fa-f]/.test(digits)) {
    const at = text.search(/[^0-9A-Fa-f\s]/);
    const found = JSON.stringify(text[at]);
    throw new Error(`${name}: ${place(text, at)}: ${found} is no hexadecimal digit (--input raw reads bytes)`);
  }
  const over = digits.length % (2 * SLOT_BYTES);
  if (over > 0)
    throw new Error(
      `${name}: ${place(text, text.trimEnd().length)}: the last instruction slot has ${over} digits of ${2 * SLOT_BYTES}`,
    );
  return Uint8Array.from(Buffer.from(digits, 'hex'));
}

function place(text: string, at: number): string {
  const before = text.slice(0, at).split('\n');
  return `line ${before.length}, column ${(before.at(-1) ?? '').length + 1}`;
}

function withLineEnd(text: string): string {
  return text && `${text}\n`;
}
