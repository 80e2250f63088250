import type { Operand } from '@bpf/dsl';
import { ldx, type Program, type Register, type WritableRegister } from '@bpf/insn';
import type { IterContext } from './context.ts';
import { type IterTarget, metaFields } from './targets.ts';

/**
 * Where a sequence finds the pass that it belongs to: the register that holds the meta pointer, as `prologueWithMeta`
 * leaves it, or the context, from which it loads that (one instruction more, and no register kept for it).
 */
export type Meta = Register | IterContext<IterTarget>;

/** Emits `dst = meta->field`. */
export function loadMeta(dst: WritableRegister, meta: Meta, field: keyof typeof metaFields): Program {
  if (typeof meta === 'string') return [ldx('dw', dst, meta, metaFields[field])];
  return [ldx('dw', dst, meta.reg, 0), ldx('dw', dst, dst, metaFields[field])];
}

/** The `struct seq_file *` that helpers write to. */
export function seqOf(meta: Meta): Operand {
  return { reg: typeof meta === 'string' ? meta : meta.reg, load: (dst) => loadMeta(dst, meta, 'seq') };
}
