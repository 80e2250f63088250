import { block } from '@bpf/dsl';
import { flatten, label, type Program, slotCount, type WritableRegister } from '@bpf/insn';
import { type IterContext, iterContext, loadCtxPtr, prologue, prologueWithMeta } from './context.ts';
import { checkNull, type IterAction, iterReturn, returnContinue } from './control.ts';
import { type IterInfo, makeIterInfo } from './info.ts';
import type { IterTarget } from './targets.ts';

/** The parts of {@link buildIterProgram}. */
export interface IterParts {
  readonly ctx: IterContext<IterTarget>;
  /** Where the meta pointer is wanted, if it is. */
  readonly meta?: WritableRegister;
  readonly body: Program;
  /** How it ends when the body does not return before: 'continue' unless told. */
  readonly action?: IterAction;
}

/**
 * Emits `ctx = r1; [meta = ctx->meta;] body; return`: a whole program. The return is left out when the body never gets
 * there, as the verifier refuses what is never reached. {@link iterProgram} makes a program with its description.
 *
 * @example
 * ```ts
 * const ctx = iterContext('bpf_map', 'r6');
 * buildIterProgram({ ctx, meta: 'r8', body: [loadCtxPtr(ctx, 'r7', 'map'), checkNullAndExit('r7')] });
 * ```
 */
export function buildIterProgram({ ctx, meta, body, action = 'continue' }: IterParts): Program {
  return [
    meta === undefined ? prologue(ctx) : prologueWithMeta(ctx, meta),
    body,
    reachesEnd(body) ? iterReturn(action) : [],
  ];
}

/** Whether the program goes on behind the body: after its last instruction, or by a jump over a number of slots. */
function reachesEnd(body: Program): boolean {
  const insns = flatten(body);
  const last = insns.at(-1);
  if (last?.kind !== 'exit' && !(last?.kind === 'goto' && last.op === 'ja')) return true;
  let left = slotCount(insns);
  return insns.some((insn) => {
    left -= slotCount([insn]);
    return (insn.kind === 'jump' || insn.kind === 'goto') && insn.target === left;
  });
}

/**
 * Emits `r6 = r1; body; r0 = 0; exit`, and describes it: an iterator program from its body alone, which finds the context
 * in r6 and has r7, r8 and r9 for what must outlast helper calls.
 *
 * @example
 * ```ts
 * const ps = iterProgram('task', 'ps', (ctx) => [
 *   loadCtxPtr(ctx, 'r7', 'task'),
 *   checkNullAndExit('r7'),
 *   copyFields(structPtr(btf, 'task_struct', 'r7'), row, { pid: 'pid', comm: 'comm' }),
 *   writeRecord(ctx, row),
 * ]);
 * ```
 */
export function iterProgram<Target extends IterTarget>(
  target: Target,
  name: string,
  body: (ctx: IterContext<Target>) => Program,
): IterInfo<Target> {
  const ctx = iterContext(target, 'r6');
  return makeIterInfo(name, target, buildIterProgram({ ctx, body: body(ctx) }));
}

/**
 * Emits `r6 = r1; r0 = 0; exit`: an iterator over tasks that does nothing.
 *
 * @example
 * ```ts
 * loadProgram(makeIterInfo('minimal', 'task', minimalTaskIterator()));
 * ```
 */
export function minimalTaskIterator(): Program {
  return buildIterProgram({ ctx: iterContext('task', 'r6'), body: [] });
}

/**
 * Emits `r6 = r1; r7 = ctx->task; if (r7) { body; } r0 = 0; exit`: an iterator over tasks whose body runs for each
 * task, with the context in r6 and the task in r7.
 *
 * @example
 * ```ts
 * taskNullCheckTemplate([taskLoadPid(btf, 'r7', 'r8'), stx('w', 'r10', 'r8', -4), seqWrite(iterContext('task', 'r6'), -4, 4)]);
 * ```
 */
export function taskNullCheckTemplate(body: Program): Program {
  const ctx = iterContext('task', 'r6');
  return block([
    prologue(ctx),
    loadCtxPtr(ctx, 'r7', 'task'),
    checkNull('r7', 'last'),
    body,
    label('last'),
    returnContinue(),
  ]);
}
