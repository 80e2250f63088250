import { parseState, type VerifierState } from './state.ts';

/** An instruction that the verifier followed. */
export interface VerifierStep {
  /** Counted from 0; a wide instruction takes two. */
  readonly slot: number;
  /** The instruction as the kernel prints it. */
  readonly text: string;
  /** How deep in calls of the program's own functions: 0 is the program. */
  readonly frame: number;
  /** What it printed of registers and stack before the instruction and behind it: newer kernels print what changed. */
  readonly before: VerifierState;
  readonly after: VerifierState;
}

/** What the end of a log says. */
export interface Refusal {
  /** The kernel's sentence, or several. */
  readonly reason: string;
  /** The instruction that was refused, unless the refusal is of something else. */
  readonly slot: number | undefined;
  /** It, as the kernel prints it. */
  readonly text: string | undefined;
}

/** `3: (bf) r0 = r2 ; R0_w=0`. What is no instruction is `BUG_ld_00` and the like. */
const STEP = /^(\d+): (?:\([0-9a-f]{2}\) |(?=BUG_))/;
/** Some kernels go on in the line of a jump. */
const AFTER_JUMP = /goto pc[+-]\d+ /;
const NOTHING: VerifierState = {};

interface StepLine {
  readonly slot: number;
  readonly text: string;
  /** The state behind the instruction. */
  readonly after: string;
  /** What else stands in the line. */
  readonly rest: string;
}

function readStep(line: string): StepLine | undefined {
  const head = STEP.exec(line);
  if (!head) return undefined;
  const slot = Number(head[1]);
  const start = head[0].length;
  const semicolon = line.indexOf(';', start);
  const text = line.slice(start, semicolon < 0 ? undefined : semicolon).trimEnd();
  const after = semicolon < 0 ? '' : line.slice(semicolon + 2);
  const jump = AFTER_JUMP.exec(text);
  const end = jump ? jump.index + jump[0].length - 1 : text.length;
  return {
    slot,
    text: text.slice(0, end),
    after,
    rest: line.slice(start + end, end < text.length ? undefined : start + end),
  };
}

/**
 * Reads the steps of a verifier's log. That of a refusal has those of the path that led to it; a log of level 2, of
 * every path. Lines that are not known are passed over.
 *
 * @example
 * ```ts
 * parseVerifierLog('0: R1=ctx() R10=fp0\n0: (bf) r6 = r1 ; R1=ctx() R6_w=ctx()\n');
 * // [{ slot: 0, text: 'r6 = r1', frame: 0, before: { r1: 'ctx()', r10: 'fp0' }, after: { r1: 'ctx()', r6: 'ctx()' } }]
 * ```
 */
export function parseVerifierLog(log: string): VerifierStep[] {
  const steps: { -readonly [Key in keyof VerifierStep]: VerifierStep[Key] }[] = [];
  let frame = 0;
  let before = NOTHING;
  let previous = '';
  for (const line of lines(log)) {
    const step = readStep(line);
    const last = steps.at(-1);
    if (step) {
      const after = parseState(step.after);
      frame = after?.frame ?? frame;
      steps.push({ slot: step.slot, text: step.text, frame, before, after: after?.state ?? NOTHING });
      before = stateBefore(step.rest)?.state ?? NOTHING;
    } else if (!line.startsWith(' ') || ENTERS.test(previous)) {
      ({ frame, state: before } = stateBefore(line) ?? { frame, state: before });
    } else if (last && STEP.test(previous)) {
      // Before Linux 5.16 the state behind a jump is in a line of its own.
      last.after = parseState(line)?.state ?? last.after;
    }
    previous = line;
  }
  return steps;
}

/** `5: R1=…`, `from 3 to 5: R1=…`, and behind the line that says that a function is entered, ` frame1: R1=…`. */
const BEFORE = /^ ?(?:from \d+ to )?\d+(?: \([a-z ]+\))?: ?|^ /;
/** The next line has the state in which a function, or the rest of its caller, starts. */
const ENTERS = /^(?:callee:|to caller at \d+:)$/;

function stateBefore(line: string): ReturnType<typeof parseState> {
  const start = BEFORE.exec(line);
  return start ? parseState(line.slice(start[0].length)) : undefined;
}

/** What is said beside the reason: states, how the verifier looked back, source lines, statistics. */
const ASIDE =
  /^(?:[ ;]|$|from \d+ to \d+|\d+: |frame\d+:|R\d+(?:_\w+)?=|(?:caller|callee|returning from callee|to caller at \d+):|func#\d+ @|last_idx|regs=|parent (?:didn't|already)|mark_precise|(?:cur|old) state|propagating|Live regs|arg#\d|func '.*' arg\d+ has btf_id|processed \d+ insns|verification time|stack depth)/;
const STATISTICS = /processed \d+ insns \(limit.*$/;
const MOST_LINES = 3;
const MOST_CHARACTERS = 300;

/** Reads why a program was refused, from the end of the log. */
export function readRefusal(log: string): Refusal {
  const reasons: string[] = [];
  let step: StepLine | undefined;
  for (let end = log.length; end > 0 && !step; ) {
    const start = log.lastIndexOf('\n', end - 1) + 1;
    const line = log.slice(start, end);
    end = start - 1;
    if (line === '') continue;
    step = readStep(line);
    // The kernel forgets a newline here and there.
    const reason = (step ? step.rest.trim() : line).replace(STATISTICS, '').slice(0, MOST_CHARACTERS);
    if (reasons.length < MOST_LINES && !ASIDE.test(reason)) reasons.unshift(reason);
  }
  if (reasons.length === 0) return { reason: whyNoReason(log), slot: undefined, text: undefined };
  const reason = reasons.join('; ');
  // Some refusals are before any instruction is followed, and say which.
  const named = /\binsn (\d+)\b/.exec(reason)?.[1];
  const slot = named === undefined ? step?.slot : Number(named);
  return { reason, slot, text: step && step.slot === slot ? step.text : undefined };
}

function whyNoReason(log: string): string {
  return log.length > 0 && !STATISTICS.test(log.slice(-1000)) ? 'the log ends before the reason' : 'no reason given';
}

/** Those that are not empty. */
function* lines(text: string): Generator<string> {
  for (let start = 0; start < text.length; ) {
    const newline = text.indexOf('\n', start);
    const end = newline < 0 ? text.length : newline;
    if (end > start) yield text.slice(start, end);
    start = end + 1;
  }
}
