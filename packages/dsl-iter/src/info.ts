import type { Program } from '@bpf/insn';
import { type IterTarget, iteratorTypes } from './targets.ts';

/** An iterator program as inert data, which `@bpf/programs` loads. */
export interface IterInfo<Target extends IterTarget = IterTarget> {
  readonly name: string;
  /** The section that libbpf knows it by: 'iter/task'. */
  readonly section: `iter/${Target}`;
  readonly type: 'tracing';
  readonly attachType: 'trace_iter';
  readonly attachTo: Target;
  readonly instructions: Program;
}

/**
 * Describes an iterator program. `iterProgram` makes its instructions, too.
 *
 * @example
 * ```ts
 * loadProgram(makeIterInfo('ps', 'task', [prologue(ctx), ..., returnContinue()]));
 * ```
 */
export function makeIterInfo<Target extends IterTarget>(
  name: string,
  target: Target,
  instructions: Program,
): IterInfo<Target> {
  return {
    name,
    section: libbpfSectionName(target),
    type: 'tracing',
    attachType: 'trace_iter',
    attachTo: target,
    instructions,
  };
}

/**
 * The section name that the reference gives to a program. libbpf knows {@link libbpfSectionName}.
 *
 * @example
 * ```ts
 * iterSectionName('task'); // 'iter/bpf_iter__task'
 * ```
 */
export function iterSectionName<Target extends IterTarget>(target: Target): `iter/bpf_iter__${Target}` {
  return `iter/${iteratorTypes[target].contextStruct}`;
}

/**
 * The ELF section that libbpf finds an iterator program in.
 *
 * @example
 * ```ts
 * libbpfSectionName('task'); // 'iter/task'
 * ```
 */
export function libbpfSectionName<Target extends IterTarget>(target: Target): `iter/${Target}` {
  return `iter/${target}`;
}
