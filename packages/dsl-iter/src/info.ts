import type { Program } from '@bpf/insn';
import type { IterTarget } from './targets.ts';

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

/** Describes an iterator program. */
export function makeIterInfo<Target extends IterTarget>(
  name: string,
  target: Target,
  instructions: Program,
): IterInfo<Target> {
  return { name, section: `iter/${target}`, type: 'tracing', attachType: 'trace_iter', attachTo: target, instructions };
}
