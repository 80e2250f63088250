import {
  kernelAtLeast,
  type ProgTestRunOptions,
  type ProgTestRunResult,
  type ProgType,
  progTestRun,
  readMachine,
  SysError,
  UnavailableError,
} from '@bpf/sys';
import type { Attachable } from '../attach/make.ts';
import { ProgramError } from '../error.ts';

export type RunOptions = ProgTestRunOptions;
export type RunResult = ProgTestRunResult;
type Option = keyof RunOptions;

/** What a type takes: the release that it came with, where that is after Linux 5.10. */
interface Rule {
  readonly takes: Readonly<Partial<Record<Option, string | true>>>;
  readonly needs?: 'data' | 'ctx';
  /** Bytes of the shortest packet. */
  readonly minimum?: number;
  readonly since?: string;
}

const ETHERNET_HEADER = 14;
const both = { data: true, dataSizeOut: true, ctx: true, ctxSizeOut: true, repeat: true } as const;
const packet: Rule = { takes: both, needs: 'data', minimum: ETHERNET_HEADER };

/** The types that can be run: of all others, the kernel says ENOTSUPP. */
export const runRules: Readonly<Partial<Record<ProgType, Rule>>> = {
  socket_filter: packet,
  sched_cls: packet,
  sched_act: packet,
  cgroup_skb: packet,
  lwt_in: packet,
  lwt_out: packet,
  lwt_xmit: packet,
  flow_dissector: packet,
  // Linux 5.10 takes shorter packets, later ones do not: it is for the kernel to say.
  xdp: { takes: { ...both, ctx: '5.15', ctxSizeOut: '5.15', liveFrames: '5.18' }, needs: 'data' },
  netfilter: { ...packet, since: '6.4' },
  sk_lookup: { takes: { ctx: true, ctxSizeOut: true, repeat: true }, needs: 'ctx', since: '5.13' },
  raw_tracepoint: { takes: { ctx: true, cpu: true } },
  syscall: { takes: { ctx: true }, since: '5.14' },
  tracing: { takes: {} },
};

/**
 * What a program of a type wants when it is run (BPF_PROG_TEST_RUN): a packet, a context, or neither.
 *
 * @example
 * ```ts
 * if (runWants('xdp') === 'data') runProgram(program, { data: new Uint8Array(64) });
 * ```
 */
export function runWants(type: ProgType | number): 'data' | 'ctx' | undefined {
  return runRules[type as ProgType]?.needs;
}

/** Of tracing programs, those on functions: they run when the kernel calls its own test functions. */
const onFunctions = ['trace_fentry', 'trace_fexit', 'trace_fsession', 'modify_return'];

/**
 * Runs a program without attaching it (BPF_PROG_TEST_RUN), by the rules of its type:
 *
 * | type | takes |
 * | ---- | ----- |
 * | sched_cls, sched_act, flow_dissector | `data`, a packet of at least 14 bytes; `ctx`, `repeat` |
 * | socket_filter, cgroup_skb, lwt_in, lwt_out, lwt_xmit | the same, but the program sees it without its Ethernet header, which comes back as zeros |
 * | xdp | `data`, `repeat`; `ctx` since Linux 5.15, `liveFrames` since 5.18 |
 * | netfilter (6.4) | `data`, a packet of IPv4 or IPv6 behind its Ethernet header; `ctx`, `repeat` |
 * | sk_lookup (5.13) | `ctx`, a struct bpf_sk_lookup; `repeat` |
 * | raw_tracepoint | `ctx`, the arguments as 8 bytes each; `cpu` |
 * | syscall (5.14) | `ctx`, which comes back as the program left it |
 * | tracing: fentry, fexit, fsession, fmod_ret | nothing: the kernel calls bpf_fentry_test1 to 9, or bpf_modify_return_test, and programs that are attached there run |
 *
 * Linux 5.10.
 *
 * @throws ProgramError `NOT_RUNNABLE` for other types; RangeError, before the call, for an option that the type does not take
 *   or wants; SysError; UnavailableError
 * @example
 * ```ts
 * const { retval, duration } = runProgram(program, { data: new Uint8Array(64), repeat: 1000 });
 * ```
 */
export function runProgram(program: Attachable, options: RunOptions = {}): RunResult {
  const { type } = program.spec;
  checkOptions(program, options);
  try {
    return progTestRun(program, options);
  } catch (error) {
    throw tooOld(type, options, error) ?? error;
  }
}

function checkOptions({ spec: { name, type, attachType } }: Attachable, options: RunOptions): void {
  const rule = runRules[type];
  if (!rule || (type === 'tracing' && !onFunctions.includes(attachType ?? '')))
    throw new ProgramError(
      'NOT_RUNNABLE',
      `program '${name}', a ${attachType ?? type}, cannot be run without being attached: the kernel has no test run for this type`,
    );
  const { takes, needs, minimum = 0 } = rule;
  const what = `program '${name}', a ${type},`;
  for (const option of given(options))
    if (takes[option] === undefined)
      throw new RangeError(
        `${what} takes no ${option} when it is run; ${Object.keys(takes).join(', ') || 'nothing'} it does`,
      );
  if (needs !== undefined && options[needs] === undefined)
    throw new RangeError(`${what} wants a ${needs === 'data' ? 'packet (data)' : 'context (ctx)'} when it is run`);
  if (options.data && options.data.length < minimum)
    throw new RangeError(
      `the packet has ${options.data.length} bytes; a ${type} wants at least ${minimum}, its Ethernet header`,
    );
}

function given(options: RunOptions): Option[] {
  return (Object.keys(options) as Option[]).filter((option) => options[option] !== undefined);
}

/** What the kernel says no to, because it is older than that. */
function tooOld(type: ProgType, options: RunOptions, cause: unknown): UnavailableError | undefined {
  const { takes = {}, since } = runRules[type] ?? {};
  if (!(cause instanceof SysError) || !['EINVAL', 'ENOTSUPP', 'E2BIG'].includes(cause.code)) return undefined;
  const { release } = readMachine();
  const wants = [
    [since, `test runs of ${type} programs`],
    ...given(options).map((option) => [takes[option], `test runs of ${type} programs with ${option}`]),
  ] as const;
  for (const [version, what] of wants) {
    if (typeof version !== 'string') continue;
    const [major = 0, minor = 0] = version.split('.').map(Number);
    if (kernelAtLeast(release, major, minor)) continue;
    const { code, errno, syscall } = cause;
    const facts = { code, errno, syscall, command: 'BPF_PROG_TEST_RUN', cause };
    return new UnavailableError(`${what} need Linux ${version}, and this is ${release}.`, facts);
  }
  return undefined;
}
