import { DslError, type SavedRegister } from '@bpf/dsl';
import { type LoadInsn, ldx, mov, type Program, type Register, type WritableRegister } from '@bpf/insn';
import { type IterField, type IterTarget, iterTargets, type MetaField, metaFields, scalarFields } from './targets.ts';

/** The context of an iterator of this target, in a register. */
export interface IterContext<Target extends IterTarget> {
  readonly target: Target;
  readonly reg: WritableRegister;
}

/**
 * Names the register that holds the context: r6 to r9, which helper calls leave alone. Emits nothing.
 *
 * @throws DslError `UNKNOWN_TARGET`
 * @example
 * ```ts
 * const ctx = iterContext('task', 'r6');
 * ```
 */
export function iterContext<Target extends IterTarget>(target: Target, reg: SavedRegister): IterContext<Target> {
  if (!Object.hasOwn(iterTargets, target))
    throw new DslError(
      'UNKNOWN_TARGET',
      `there is no iterator '${target}'; there are ${Object.keys(iterTargets).join(', ')}`,
    );
  return { target, reg };
}

/**
 * Emits `ctx = r1`: saves the context, which the kernel passes in r1.
 *
 * @example
 * ```ts
 * const ctx = iterContext('task', 'r6');
 * const program = [prologue(ctx), loadCtxPtr(ctx, 'r7', 'task'), checkNullAndExit('r7'), returnContinue()];
 * ```
 */
export function prologue(ctx: IterContext<IterTarget>): Program {
  return [mov(ctx.reg, 'r1')];
}

/**
 * Emits `ctx = r1; meta = *(u64 *)(ctx + 0)`: saves the context and loads its meta pointer, which is never NULL.
 *
 * @example
 * ```ts
 * [prologueWithMeta(ctx, 'r8'), loadMetaField('r8', 'r9', 'seq_num')]
 * ```
 */
export function prologueWithMeta(ctx: IterContext<IterTarget>, meta: WritableRegister): Program {
  return [mov(ctx.reg, 'r1'), ldx('dw', meta, ctx.reg, 0)];
}

/**
 * The byte offset of a context field.
 *
 * @throws DslError `UNKNOWN_FIELD`
 * @example
 * ```ts
 * contextOffset('bpf_map_elem', 'value'); // 24
 * ```
 */
export function contextOffset<Target extends IterTarget>(target: Target, field: IterField<Target>): number {
  const fields: Readonly<Record<string, number>> = iterTargets[target];
  const offset = Object.hasOwn(fields, field) ? fields[field] : undefined;
  if (offset !== undefined) return offset;
  throw new DslError(
    'UNKNOWN_FIELD',
    `the context of iterator '${target}' has no field '${field}'; it has ${Object.keys(fields).join(', ')}`,
  );
}

/**
 * Emits `dst = *(u64 *)(ctx + offset)`, or a u32 load for the fields that are numbers (fd, uid, bucket). Every pointer
 * but `meta`, and `map` of the element iterators, may be NULL and must be checked before use: see
 * {@link checkNullAndExit}. Clobbers nothing but dst.
 *
 * @throws DslError `UNKNOWN_FIELD`
 * @example
 * ```ts
 * [loadCtxPtr(ctx, 'r7', 'task'), checkNullAndExit('r7')]
 * ```
 */
export function loadCtxPtr<Target extends IterTarget>(
  ctx: IterContext<Target>,
  dst: WritableRegister,
  field: IterField<Target>,
): LoadInsn {
  return ldx(scalarFields.has(field) ? 'w' : 'dw', dst, ctx.reg, contextOffset(ctx.target, field));
}

/**
 * Emits `dst = *(u64 *)(meta + offset)`: the seq_file pointer, the session's id, or the number of the element. Clobbers
 * nothing but dst.
 *
 * @example
 * ```ts
 * [prologueWithMeta(ctx, 'r8'), loadMetaField('r8', 'r9', 'seq_num'), jne('r9', 0, 'not the first')]
 * ```
 */
export function loadMetaField(meta: Register, dst: WritableRegister, field: MetaField): LoadInsn {
  return ldx('dw', dst, meta, metaFields[field]);
}
