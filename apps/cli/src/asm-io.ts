/** What `bpf asm` and `bpf disasm` share: their input, and instructions as hexadecimal digits and as JSON. */
import { readFile } from 'node:fs/promises';
import { type Insn, SLOT_BYTES } from '@bpf/insn';

/** What a file is called in messages. */
export function nameOf(file: string | undefined): string {
  return isStdin(file) ? 'standard input' : (file as string);
}

/** Reads a file; standard input when it is '-' or not given. */
export async function readInput(file: string | undefined): Promise<Buffer> {
  if (!isStdin(file)) return readFile(file as string);
  const chunks: Buffer[] = [];
  for await (const chunk of process.stdin) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

function isStdin(file: string | undefined): boolean {
  return file === undefined || file === '-';
}

/** Sixteen digits for each slot, one slot a line. */
export function hexLines(bytes: Uint8Array): string {
  const digits = Buffer.from(bytes).toString('hex');
  const perSlot = 2 * SLOT_BYTES;
  return Array.from(
    { length: digits.length / perSlot },
    (_, slot) => `${digits.substr(slot * perSlot, perSlot)}\n`,
  ).join('');
}

/** The instructions as they are in TypeScript, one a line; 64-bit constants as strings: "0x10". */
export function jsonLines(insns: readonly Insn[]): string {
  const wide = (_: string, value: unknown): unknown => (typeof value === 'bigint' ? `0x${value.toString(16)}` : value);
  return insns.map(({ at, ...insn }) => `${JSON.stringify(insn, wide)}\n`).join('');
}
