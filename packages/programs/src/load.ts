import type { Btf, BtfKind } from '@bpf/btf';
import { assemble } from '@bpf/insn';
import { type AttachType, Fd, type HasFd, type ProgLoadOptions, SysError, UnavailableError } from '@bpf/sys';
import { ProgramError, VerifierError } from './error.ts';
import { kernelBtf } from './kernel-btf.ts';
import { loadWithLines, makeLineInfo } from './line-info.ts';
import { functionOf } from './program-btf.ts';
import type { ProgramSpec } from './spec.ts';
import { structOps } from './struct-ops.ts';

export interface LoadOptions {
  /** The map of each name that the instructions use: anything with an `fd`. */
  readonly maps?: Readonly<Record<string, { readonly fd: number }>>;
  /** The types to find the target in; the running kernel's unless given. */
  readonly btf?: Btf;
  /** For type 'ext': the program whose function it replaces, of which it gets the types. */
  readonly target?: HasFd;
  /**
   * Whether the kernel is told which source line each instruction is from, for the verifier's log and for
   * `bpftool prog dump xlated linum`: by default when the instructions remember it (`captureSource`). A kernel that
   * does not take it (before Linux 5.0), or not from this user, loads the program without.
   */
  readonly lineInfo?: boolean;
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
  const replaced = type === 'ext' ? findReplaced(spec, options.target) : undefined;
  try {
    const program: ProgLoadOptions = {
      type,
      insns,
      license: spec.license ?? 'GPL',
      name: fitName(spec.name),
      ...(spec.flags && { flags: spec.flags }),
      ...replaced,
      ...(attachType && { expectedAttachType: attachType }),
      ...(type === 'struct_ops' && findMember(spec)),
      ...(attachType &&
        targets[attachType] && {
          attachBtfId: findTarget(spec, targets[attachType], options.btf ?? kernelBtf()),
        }),
    };
    // The types of what replaces a function are those of that function.
    const lines = replaced ? undefined : makeLineInfo(spec, insns, options.lineInfo);
    return new Program(loadWithLines(program, lines).disown(), spec);
  } catch (error) {
    if (error instanceof SysError && error.log) throw new VerifierError(spec, error);
    throw error;
  } finally {
    replaced?.btf.close();
  }
}

/** A function of another program. The replacement must be of its type, and so is loaded with its types. */
function findReplaced({ name, attachTo }: ProgramSpec, target: HasFd | undefined) {
  if (target === undefined || attachTo === undefined)
    throw new ProgramError(
      'NO_TARGET',
      `program '${name}' does not say which function (attachTo) of which program (target)`,
    );
  const { btf, id } = functionOf(target, attachTo);
  const first = { bytes: new Uint8Array(Uint32Array.of(0, id).buffer), recordSize: 8 };
  return { btf, funcInfo: first, attachBtfId: id, attachTo: target };
}

/** A function of a structure of the kernel: `tcp_congestion_ops.ssthresh`. */
function findMember({ name, attachTo = '' }: ProgramSpec) {
  const [struct = '', member] = attachTo.split('.');
  if (member === undefined)
    throw new ProgramError(
      'NO_TARGET',
      `program '${name}' does not say which function it is (attachTo), such as 'tcp_congestion_ops.ssthresh'`,
    );
  const ops = structOps(struct);
  return { attachBtfId: ops.typeId, expectedAttachType: ops.indexOf(member) };
}

interface Target {
  readonly kind: BtfKind;
  readonly prefix: string;
  readonly what: string;
}

/** How BTF spells the target of each attach type. */
const targets: Readonly<Partial<Record<AttachType, Target>>> = {
  trace_iter: { kind: 'func', prefix: 'bpf_iter_', what: 'iterator' },
  trace_raw_tp: { kind: 'typedef', prefix: 'btf_trace_', what: 'tracepoint' },
  trace_fentry: { kind: 'func', prefix: '', what: 'function' },
  trace_fexit: { kind: 'func', prefix: '', what: 'function' },
  modify_return: { kind: 'func', prefix: '', what: 'function' },
  trace_fsession: { kind: 'func', prefix: '', what: 'function' },
  lsm_mac: { kind: 'func', prefix: 'bpf_lsm_', what: 'LSM hook' },
  lsm_cgroup: { kind: 'func', prefix: 'bpf_lsm_', what: 'LSM hook' },
};

function findTarget(spec: ProgramSpec, { kind, prefix, what }: Target, btf: Btf): number {
  if (spec.attachTo === undefined)
    throw new ProgramError('NO_TARGET', `program '${spec.name}' does not say which ${what} it attaches to (attachTo)`);
  const id = btf.find(kind, prefix + spec.attachTo);
  if (id !== undefined) return id;
  if (what === 'iterator' && btf.find('func', 'bpf_iter_task') === undefined)
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
