import { capabilityNames, kernelAtLeast, readMachine, SysError, UnavailableError } from '@bpf/sys';

/** What a probe found: there, not there, or that it could not be told, and why. */
export type Answer =
  | { readonly supported: true }
  /** `since`: the first release that has it, where that is known. */
  | { readonly supported: false; readonly since?: string; readonly reason: string }
  | { readonly supported: undefined; readonly reason: string };

/** What is asked for, for the sentences of answers. */
export interface Asked {
  /** In the plural, such as 'links of tcx'. */
  readonly what: string;
  readonly since?: string | undefined;
  /** What the kernel must be built with, such as 'CONFIG_NETKIT'. */
  readonly config?: string | undefined;
}

export const yes: Answer = { supported: true };

/** Not there: this kernel is older than the first that has it, says why not, or was built without it. */
function no({ what, since, config }: Asked, said?: string): Answer {
  const { release } = readMachine();
  const known = since === undefined ? {} : { since };
  if (since !== undefined && olderThan(release, since))
    return { supported: false, ...known, reason: `${what} need Linux ${since}, and this is ${release}` };
  if (said !== undefined) return { supported: false, ...known, reason: `this kernel refuses ${what}: ${said}` };
  const built = config === undefined ? '' : `: they need ${config}`;
  return { supported: false, ...known, reason: `this kernel, Linux ${release}, has no ${what}${built}` };
}

export function unsure(reason: string): Answer {
  return { supported: undefined, reason };
}

/** What kernels answer to what they do not know, or were built without. */
const UNKNOWN = ['EINVAL', 'EOPNOTSUPP', 'ENOTSUPP', 'E2BIG'];

/**
 * Tries something. What is refused as `exists` says is there too: for a place that is not there, say, which the kernel looks
 * at only when it knows the rest.
 *
 * @param run makes the try, and returns true; false when it is known not to be there without one
 */
export function attempt(asked: Asked, run: () => boolean, exists: (error: SysError) => boolean = () => false): Answer {
  try {
    return run() ? yes : no(asked);
  } catch (error) {
    if (!(error instanceof SysError)) throw error;
    if (!(error instanceof UnavailableError) && exists(error)) return yes;
    // Without an errno, no call was made: here that is for want of the kernel's types, of koffi, or of Linux.
    if (error.code === 'ENOSYS' && error.errno === 0 && process.platform === 'linux') return unsure(sentence(error));
    if (error.code === 'ENOSYS') return { supported: false, reason: sentence(error) };
    // That this process may not, that a policy or a limit is in the way.
    if (!UNKNOWN.includes(error.code)) return unsure(sentence(error));
    return isTold() ? no(asked, lastWord(error.log)) : unsure(`${sentence(error)}, and others may be told otherwise`);
  }
}

/** Whether the kernel shows this process what it has: of those without privilege it refuses much in the same words. */
export function isTold(): boolean {
  const { capabilities, inUserNamespace } = readMachine();
  const has = capabilityNames(capabilities);
  const privileged = has.includes('CAP_SYS_ADMIN') || (has.includes('CAP_BPF') && has.includes('CAP_PERFMON'));
  return privileged && !inUserNamespace;
}

const known = new Map<string, Answer>();

/** Asks once: an answer is kept when it is one, and asked for again when it could not be told. */
export function remembered(question: string, ask: () => Answer): Answer {
  const before = known.get(question);
  if (before) return before;
  const answer = ask();
  if (answer.supported !== undefined) known.set(question, answer);
  return answer;
}

/** What the verifier said last, if anything, before its statistics. */
function lastWord(log: string | undefined): string | undefined {
  return log
    ?.split('\n')
    .filter((line) => line !== '' && !/^(processed \d+ insns|verification time|stack depth)/.test(line))
    .at(-1);
}

function sentence({ message }: SysError): string {
  return message.replace(/\.$/, '');
}

function olderThan(release: string, version: string): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  return !kernelAtLeast(release, major, minor);
}
