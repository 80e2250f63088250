import { decode, slotCount } from '@bpf/insn';
import { formatInsn } from '@bpf/insn/text';
import { progGetInfo, progGetJited, progGetXlated } from '@bpf/sys';
import type { ProgDumpFormat } from '../choices.ts';
import { jsonLine, print } from '../output.ts';
import { openProg } from './list.ts';

interface Options {
  readonly format: ProgDumpFormat;
  readonly json?: true;
}

/** `bpf prog dump`: the instructions as the kernel rewrote them, or the machine code, as digits. */
export async function dumpProg(argument: string, { format, json }: Options): Promise<void> {
  using prog = openProg(argument);
  if (format === 'jited') {
    const code = progGetJited(prog);
    if (code.length === 0) throw new Error(`The kernel shows no machine code of program ${progGetInfo(prog).id}.`);
    const digits = Buffer.from(code).toString('hex');
    return print([json ? jsonLine({ jited: digits }) : `${digits}\n`]);
  }
  const bytes = progGetXlated(prog);
  if (bytes.length === 0)
    throw new Error(
      `The kernel does not show the instructions of program ${progGetInfo(prog).id}: it hides them from this user (kernel.kptr_restrict), or they are gone.`,
    );
  let slot = 0;
  const lines: string[] = [];
  for (const insn of decode(bytes)) {
    const slots = slotCount([insn]);
    const text = formatInsn(insn);
    const opcodes = hex(bytes.subarray(slot * 8, (slot + slots) * 8));
    if (json) lines.push(jsonLine({ slot, disasm: text, ...(format === 'opcodes' && { opcodes }) }));
    else lines.push(`${String(slot).padStart(5)}: ${text}\n${format === 'opcodes' ? `       ${opcodes}\n` : ''}`);
    slot += slots;
  }
  return print(lines);
}

function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join(' ');
}
