import type { Btf, BtfKind } from '@bpf/btf';
import { assemble } from '@bpf/insn';
import { type AttachType, Fd, progLoad, SysError, UnavailableError } from '@bpf/sys';
import { ProgramError, VerifierError } from './error.ts';
import { kernelBtf } from './kernel-btf.ts';
import type { ProgramSpec } from './spec.ts';

export interface LoadOptions {
  /** The map of each name that the instructions use: anything with an `fd`. */
  readonly maps?: Readonly<Record<string, { readonly fd: number }>>;
  /** The types to find the target in; the running kernel's unless given. */
  readonly btf?: Btf;
}

/** Owns a loaded program. Closing it unloads the program when no link, pin or other process holds it. */
export class Program extends Fd {
  readonly spec: ProgramSpec;

  constructor(fd: number, spec: ProgramSpec) {
    super(fd);
    this.spec = spec;
  }
}

/**
 * Assembles a program, finds what it attaches to among the kernel's types, and loads it.
 *
 * @throws VerifierError when the verifier refuses it; ProgramError `NO_TARGET`; UnavailableError when this kernel
 * cannot or does not permit it; InsnError when it does not assemble; SysError
 * @example
 * ```ts
 * using program = loadProgram({ name: 'pass', type: 'socket_filter', instructions: [mov('r0', 0), exit()] });
 * ```
 */
export function loadProgram(spec: ProgramSpec, options: LoadOptions = {}): Program {
  const maps = Object.fromEntries(Object.entries(options.maps ?? {}).map(([name, map]) => [name, map.fd]));
  const insns = assemble(spec.instructions, { maps });
  const { type, attachType } = spec;
  try {
    const loaded = progLoad({
      type,
      insns,
      license: spec.license ?? 'GPL',
      name: fitName(spec.name),
      ...(attachType && { expectedAttachType: attachType }),
      ...(attachType && { attachBtfId: findTarget(spec, attachType, options.btf ?? kernelBtf()) }),
    });
    return new Program(loaded.disown(), spec);
  } catch (error) {
    if (error instanceof SysError && error.log) throw new VerifierError(spec.name, error);
    throw error;
  }
}

/** How BTF spells the target of each attach type. */
const targets: Readonly<Record<AttachType, { kind: BtfKind; prefix: string; what: string }>> = {
  trace_iter: { kind: 'func', prefix: 'bpf_iter_', what: 'iterator' },
  trace_raw_tp: { kind: 'typedef', prefix: 'btf_trace_', what: 'tracepoint' },
  trace_fentry: { kind: 'func', prefix: '', what: 'function' },
  trace_fexit: { kind: 'func', prefix: '', what: 'function' },
  modify_return: { kind: 'func', prefix: '', what: 'function' },
};

function findTarget(spec: ProgramSpec, attachType: AttachType, btf: Btf): number {
  const { kind, prefix, what } = targets[attachType];
  if (spec.attachTo === undefined)
    throw new ProgramError('NO_TARGET', `program '${spec.name}' does not say which ${what} it attaches to (attachTo)`);
  const id = btf.find(kind, prefix + spec.attachTo);
  if (id !== undefined) return id;
  if (attachType === 'trace_iter' && btf.find('func', 'bpf_iter_task') === undefined)
    throw new UnavailableError('This kernel has no BPF iterators: they need Linux 5.8 or newer.');
  throw new ProgramError(
    'NO_TARGET',
    `this kernel has no ${what} '${spec.attachTo}' (no ${kind} '${prefix}${spec.attachTo}' in its BTF)`,
  );
}

/** The nearest name that the kernel takes. */
function fitName(name: string): string {
  return name.replace(/[^A-Za-z0-9_.]/g, '_').slice(0, 15);
}
