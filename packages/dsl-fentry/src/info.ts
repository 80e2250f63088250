import type { Program } from '@bpf/insn';
import { attachTypes, type FentryKind, progTypes } from './attach-types.ts';

/** A tracing program as inert data, which `@bpf/programs` loads. */
export interface FentryInfo {
  readonly name: string;
  /** The section that libbpf knows it by. */
  readonly section: string;
  readonly type: 'tracing';
  readonly attachType: (typeof attachTypes)[FentryKind];
  /** The kernel function, or the tracepoint. */
  readonly attachTo: string;
  readonly instructions: Program;
}

/**
 * The ELF section that libbpf finds such a program in.
 *
 * @example
 * ```ts
 * fentrySectionName('vfs_read'); // 'fentry/vfs_read'
 * ```
 */
export function fentrySectionName(func: string): string {
  return `fentry/${func}`;
}

/**
 * The ELF section that libbpf finds such a program in.
 *
 * @example
 * ```ts
 * fexitSectionName('vfs_read'); // 'fexit/vfs_read'
 * ```
 */
export function fexitSectionName(func: string): string {
  return `fexit/${func}`;
}

/**
 * The ELF section that libbpf finds such a program in.
 *
 * @example
 * ```ts
 * fmodRetSectionName('security_file_open'); // 'fmod_ret/security_file_open'
 * ```
 */
export function fmodRetSectionName(func: string): string {
  return `fmod_ret/${func}`;
}

/**
 * The ELF section that libbpf finds such a program in.
 *
 * @example
 * ```ts
 * tpBtfSectionName('sched_process_fork'); // 'tp_btf/sched_process_fork'
 * ```
 */
export function tpBtfSectionName(tracepoint: string): string {
  return `tp_btf/${tracepoint}`;
}

/**
 * Describes a program that runs when a kernel function is entered. It must return 0. Linux 5.5.
 *
 * @example
 * ```ts
 * loadProgram(makeFentryProgramInfo('reads', 'vfs_read', buildFentryProgram({ body })));
 * ```
 */
export function makeFentryProgramInfo(name: string, func: string, instructions: Program): FentryInfo {
  return makeInfo('fentry', name, func, instructions);
}

/**
 * Describes a program that runs when a kernel function returns. It must return 0. Linux 5.5.
 *
 * @example
 * ```ts
 * loadProgram(makeFexitProgramInfo('results', 'vfs_read', buildFexitProgram({ retReg: 'r6', body })));
 * ```
 */
export function makeFexitProgramInfo(name: string, func: string, instructions: Program): FentryInfo {
  return makeInfo('fexit', name, func, instructions);
}

/**
 * Describes a program that runs before a kernel function and, returning other than 0, has it skipped with that return
 * value. Only for functions that allow it: `security_*` and those open to error injection. Linux 5.7.
 *
 * @example
 * ```ts
 * loadProgram(makeFmodRetProgramInfo('deny', 'security_task_setnice', [fentryReturn(-1)]));
 * ```
 */
export function makeFmodRetProgramInfo(name: string, func: string, instructions: Program): FentryInfo {
  return makeInfo('fmod_ret', name, func, instructions);
}

/**
 * Describes a program that runs at a tracepoint, with its arguments in the same array. Linux 5.5.
 *
 * @example
 * ```ts
 * loadProgram(makeTpBtfProgramInfo('forks', 'sched_process_fork', buildFentryProgram({ body })));
 * ```
 */
export function makeTpBtfProgramInfo(name: string, tracepoint: string, instructions: Program): FentryInfo {
  return makeInfo('tp_btf', name, tracepoint, instructions);
}

export function makeInfo(kind: FentryKind, name: string, target: string, instructions: Program): FentryInfo {
  return {
    name,
    section: `${kind}/${target}`,
    type: progTypes[kind],
    attachType: attachTypes[kind],
    attachTo: target,
    instructions,
  };
}
