import { block, type MapRef } from '@bpf/dsl';
import {
  exit,
  type JumpInsn,
  jeq,
  jne,
  label,
  ldMapValue,
  ldx,
  mov,
  type Program,
  type Register,
  stx,
  type Target,
  type WritableRegister,
} from '@bpf/insn';
import { type IterContext, loadCtxPtr } from './context.ts';
import { loadMeta, type Meta } from './meta.ts';
import type { IterField, IterTarget } from './targets.ts';

/** What the program of an iterator may return. The verifier takes no other number. */
export const iterReturnValues = {
  /** Go on with the next element. */
  continue: 0,
  /** What the reference calls stop: run the program again on this element. See {@link returnStop}. */
  stop: 1,
} as const;

/** What an iterator program asks for by its return value. */
export type IterAction = keyof typeof iterReturnValues;

/**
 * The return value for an action: 0 or 1.
 *
 * @example
 * ```ts
 * [mov('r0', returnValue('continue')), exit()]
 * ```
 */
export function returnValue(action: IterAction): 0 | 1 {
  return iterReturnValues[action];
}

/**
 * Emits `if ptr == 0 goto target`. Clobbers nothing.
 *
 * @param target a label, or how many slots to skip: a wide instruction counts as two
 * @example
 * ```ts
 * [loadCtxPtr(ctx, 'r7', 'task'), checkNull('r7', 'last'), ..., label('last'), returnContinue()]
 * ```
 */
export function checkNull(ptr: Register, target: Target): JumpInsn {
  return jeq(ptr, 0, target);
}

/**
 * Emits `if (ptr == 0) { r0 = 0; exit; }`: the kernel calls the program once more after the last element, with NULL for it.
 * Clobbers nothing.
 *
 * @example
 * ```ts
 * [loadCtxPtr(ctx, 'r7', 'task'), checkNullAndExit('r7')]
 * ```
 */
export function checkNullAndExit(ptr: Register): Program {
  return block([jne(ptr, 0, 'there'), iterReturn('continue'), label('there')]);
}

/**
 * Emits `dst = ctx->field; if dst == 0 return 0`: {@link loadCtxPtr} and {@link checkNullAndExit}, which belong together
 * for every pointer but `meta`. Clobbers nothing but dst.
 *
 * @throws DslError `UNKNOWN_FIELD`
 * @example
 * ```ts
 * [loadOrExit(ctx, 'r7', 'key'), loadOrExit(ctx, 'r8', 'value')]
 * ```
 */
export function loadOrExit<Target extends IterTarget>(
  ctx: IterContext<Target>,
  dst: WritableRegister,
  field: IterField<Target>,
): Program {
  return [loadCtxPtr(ctx, dst, field), checkNullAndExit(dst)];
}

/**
 * Emits `r0 = 0; exit`: go on with the next element.
 *
 * @example
 * ```ts
 * [jeq('r8', process.pid, 'own'), returnContinue(), label('own')]
 * ```
 */
export function returnContinue(): Program {
  return iterReturn('continue');
}

/**
 * Emits `r0 = 1; exit`. In spite of its name it does not stop: the kernel drops what the program wrote for this
 * element, tells the reader EAGAIN, and with the next read runs the program on the same element again. For a program that
 * could not do its work this time. {@link stopIteration} stops.
 *
 * @example
 * ```ts
 * [mapLookup('ready', -4), jne('r0', 0, 'ready'), returnStop(), label('ready')] // until user space is
 * ```
 */
export function returnStop(): Program {
  return iterReturn('stop');
}

/**
 * Emits `r0 = 0; exit` or `r0 = 1; exit`: see {@link returnContinue} and {@link returnStop}.
 *
 * @example
 * ```ts
 * iterReturn('continue')
 * ```
 */
export function iterReturn(action: IterAction): Program {
  return [mov('r0', returnValue(action)), exit()];
}

/**
 * Emits `*(u64 *)map_value[map][0] = meta->session_id; r0 = 0; exit`: the end of this pass. What this element wrote stays;
 * for those that follow, {@link exitIfStopped} leaves the program at once. The map is an array of one value of 8 bytes; it
 * holds the number of the pass that was stopped, so that the next pass is not. Two passes at the same time want two
 * maps. Clobbers r0 to r2. Linux 5.8.
 *
 * @example
 * ```ts
 * // createMap({ type: 'array', valueSize: 8, maxEntries: 1 }), as { maps: { stop } }
 * iterProgram('task', 'first', (ctx) => [
 *   exitIfStopped(ctx, 'stop'),
 *   ...
 *   jne('r8', 1000, 'go on'),
 *   stopIteration(ctx, 'stop'),
 *   label('go on'),
 * ]);
 * ```
 */
export function stopIteration(meta: Meta, map: MapRef): Program {
  return [
    loadMeta('r1', meta, 'session_id'),
    ldMapValue('r2', map, 0),
    stx('dw', 'r2', 'r1', 0),
    iterReturn('continue'),
  ];
}

/**
 * Emits `if (*(u64 *)map_value[map][0] == meta->session_id) return 0`: the other half of {@link stopIteration}, for the
 * start of the program. Clobbers r1 and r2. Linux 5.8.
 *
 * @example
 * ```ts
 * iterProgram('task', 'first', (ctx) => [exitIfStopped(ctx, 'stop'), loadOrExit(ctx, 'r7', 'task'), ...]);
 * ```
 */
export function exitIfStopped(meta: Meta, map: MapRef): Program {
  return block([
    loadMeta('r1', meta, 'session_id'),
    ldMapValue('r2', map, 0),
    ldx('dw', 'r2', 'r2', 0),
    jne('r1', 'r2', 'go on'),
    iterReturn('continue'),
    label('go on'),
  ]);
}
