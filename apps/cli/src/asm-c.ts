import { decode, type Insn, SLOT_BYTES } from '@bpf/insn';
import * as helpers from '@bpf/insn/helpers';
import { formatInsn } from '@bpf/insn/text';

/**
 * A C array of `struct bpf_insn`, for `#include <linux/bpf.h>`, with each instruction in a comment. Fields by name, so that
 * it is right in either byte order.
 */
export function cInitialiser(bytes: Uint8Array): string {
  const comments = decode(bytes).flatMap(commentLines);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const lines = Array.from({ length: bytes.length / SLOT_BYTES }, (_, slot) => {
    const at = slot * SLOT_BYTES;
    const registers = view.getUint8(at + 1);
    const fields = [
      `.code = 0x${view.getUint8(at).toString(16).padStart(2, '0')}`,
      `.dst_reg = ${registers & 0xf}`,
      `.src_reg = ${registers >> 4}`,
      `.off = ${view.getInt16(at + 2, true)}`,
      `.imm = ${immediate(view.getInt32(at + 4, true))}`,
    ];
    return `\t{ ${fields.join(', ')} },${comments[slot] ?? ''}\n`;
  });
  return `struct bpf_insn prog[] = {\n${lines.join('')}};\n`;
}

/** The lowest is no constant of C: 2147483648 does not fit an int. */
function immediate(imm: number): string {
  return imm === -0x8000_0000 ? '-2147483647 - 1' : String(imm);
}

/** For each slot of an instruction. */
function commentLines(insn: Insn): string[] {
  const comment = ` /* ${formatInsn(insn, { helpers })} */`;
  return insn.kind === 'lddw' ? [comment, ''] : [comment];
}
