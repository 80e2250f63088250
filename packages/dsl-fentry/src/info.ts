import type { Program } from '@bpf/insn';

/** A tracing program as inert data, which `@bpf/programs` loads. */
export interface FentryInfo {
  readonly name: string;
  /** The section that libbpf knows it by. */
  readonly section: string;
  readonly type: 'tracing';
  readonly attachType: 'trace_fentry' | 'trace_fexit' | 'modify_return';
  /** The kernel function. */
  readonly attachTo: string;
  readonly instructions: Program;
}

/** 'fentry/vfs_read' */
export function fentrySectionName(func: string): string {
  return `fentry/${func}`;
}

/** 'fexit/vfs_read' */
export function fexitSectionName(func: string): string {
  return `fexit/${func}`;
}

/** 'fmod_ret/security_file_open' */
export function fmodRetSectionName(func: string): string {
  return `fmod_ret/${func}`;
}

/** Describes a program that runs when a kernel function is entered. It must return 0. */
export function makeFentryProgramInfo(name: string, func: string, instructions: Program): FentryInfo {
  return {
    name,
    section: fentrySectionName(func),
    type: 'tracing',
    attachType: 'trace_fentry',
    attachTo: func,
    instructions,
  };
}

/** Describes a program that runs when a kernel function returns. It must return 0. */
export function makeFexitProgramInfo(name: string, func: string, instructions: Program): FentryInfo {
  return {
    name,
    section: fexitSectionName(func),
    type: 'tracing',
    attachType: 'trace_fexit',
    attachTo: func,
    instructions,
  };
}

/**
 * Describes a program that runs before a kernel function and, returning other than 0, has it skipped with that return
 * value. Only for functions that allow it: `security_*` and those open to error injection.
 */
export function makeFmodRetProgramInfo(name: string, func: string, instructions: Program): FentryInfo {
  return {
    name,
    section: fmodRetSectionName(func),
    type: 'tracing',
    attachType: 'modify_return',
    attachTo: func,
    instructions,
  };
}
