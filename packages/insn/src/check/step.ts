import { sizeBytes } from '../codes.ts';
import type { Insn, Size } from '../insn.ts';
import { LAST_HELPER, STACK_BYTES } from './constants.ts';
import type { Report } from './finding.ts';
import type { Node } from './graph.ts';
import { doAnything, result, type State, takeArguments, use } from './state.ts';

/** The range that the program may return, or that it returns nothing. */
type Returns = readonly [min: number, max: number] | 'void' | undefined;

/** Follows an instruction from the state before it to the state behind it, and reports what is wrong on every path. */
export function step(node: Node, state: State, report: Report, returns: Returns, inFastcall: boolean): void {
  const { insn, slot } = node;
  if (insn.kind === 'raw') {
    doAnything(state);
    return;
  }
  const value = result(insn, slot, state);
  const base = baseOf(insn);
  for (const register of reads(node, returns)) {
    const bit = 1 << register;
    if (!(state.written & bit)) reportUnwritten(insn, register, state, report);
    // Once is enough.
    state.written |= bit;
    // A copy, or a stack address that is moved, is followed further.
    if (register !== base && !(insn.kind === 'alu' && value)) use(state, register);
  }
  if (insn.kind === 'alu') checkOperand(insn, report);
  if (insn.kind === 'exit') checkReturn(node, state, report, returns);
  if (insn.kind === 'call' && !(insn.helper >= 1 && insn.helper <= LAST_HELPER))
    report('HELPER_UNKNOWN', `calls helper ${insn.helper}; use a helper from 1 to ${LAST_HELPER}`);
  const address = base === undefined ? undefined : state.values[base];
  if (address?.[0] === 'stack') accessStack(insn as MemoryInsn, address[1], state, report, inFastcall);
  if (isCall(insn)) takeArguments(state);
  const register = writes(insn);
  if (register === 10) {
    report('READ_ONLY_REGISTER', 'writes r10, which is read-only; copy it first');
  } else if (register !== undefined) {
    state.values[register] = value;
    state.written |= 1 << register;
  }
}

/** A jump where the verifier surely follows some of the ways: these, as places in `next`. */
export function surelyFollowed({ insn, next }: Node, state: State): readonly number[] {
  if (insn.kind === 'goto' && insn.op === 'may_goto') return next;
  if (insn.kind !== 'jump' || typeof insn.src !== 'number') return [];
  const { op, bits, src } = insn;
  const kind = state.values[number(insn.dst)]?.[0];
  const equality = op === 'jeq' || op === 'jne';
  // Compared with 0 or -1, or in 32 bits, some comparisons are always true or never.
  if (kind === 'number' && (equality || (bits === 64 && (src > 0 || /^js[gl]/.test(op))))) return next;
  // The kernel knows of some pointers that they are not null.
  if (kind === 'pointer' && equality && bits === 64 && src === 0)
    return next.slice(...(op === 'jeq' ? [0, 1] : [1, 2]));
  return [];
}

const number = (name: string): number => Number(name.slice(1));

const isCall = ({ kind }: Insn): boolean =>
  kind === 'call' || kind === 'call_kfunc' || kind === 'call_subprog' || kind === 'ld_abs' || kind === 'ld_ind';

type MemoryInsn = Extract<Insn, { readonly size: Size; readonly dst: string }>;

const isLoad = ({ kind }: Insn): boolean => kind === 'ldx' || kind === 'ldsx' || kind === 'load_acquire';

/** The register that memory is addressed by. */
function baseOf(insn: Insn): number | undefined {
  if (!('size' in insn && 'dst' in insn)) return undefined;
  return number(isLoad(insn) && 'src' in insn ? insn.src : insn.dst);
}

/** Whether dst is written and not read. */
const overwrites = (insn: Insn): boolean =>
  isLoad(insn) ||
  insn.kind === 'lddw' ||
  insn.kind === 'movsx' ||
  insn.kind === 'addr_space_cast' ||
  (insn.kind === 'alu' && insn.op === 'mov');

function reads({ insn, fn }: Node, returns: Returns): number[] {
  // A function of the program may return nothing.
  if (insn.kind === 'exit') return fn === 0 && returns !== 'void' ? [0] : [];
  const registers: number[] = [];
  if ('dst' in insn && typeof insn.dst === 'string' && !overwrites(insn)) registers.push(number(insn.dst));
  if ('src' in insn && typeof insn.src === 'string') registers.push(number(insn.src));
  if (insn.kind === 'atomic' && insn.op === 'cmpxchg') registers.push(0);
  if (insn.kind === 'ld_abs' || insn.kind === 'ld_ind') registers.push(6);
  return registers;
}

function writes(insn: Insn): number | undefined {
  if (isCall(insn)) return 0;
  if (insn.kind === 'atomic') return insn.op === 'cmpxchg' ? 0 : insn.fetch ? number(insn.src) : undefined;
  if (overwrites(insn) || insn.kind === 'alu' || insn.kind === 'neg' || insn.kind === 'end')
    return number((insn as { dst: string }).dst);
  return undefined;
}

function reportUnwritten(_insn: Insn, register: number, state: State, report: Report): void {
  if (state.lost & (1 << register))
    report('CLOBBERED_REGISTER', `reads r${register}, which a call took; copy it to r6-r9 first`);
  else report('UNINIT_REGISTER', `reads r${register}, which nothing has written; write it first`);
}

function checkOperand({ op, bits, src }: Extract<Insn, { kind: 'alu' }>, report: Report): void {
  if (src === 0 && /div|mod/.test(op)) report('DIVISION_BY_ZERO', `has ${op} by 0; use another divisor`);
  if (typeof src === 'number' && /sh$/.test(op) && (src < 0 || src >= bits))
    report('SHIFT_RANGE', `shifts ${bits} bits by ${src}; shift by 0 to ${bits - 1}`);
}

function checkReturn({ fn }: Node, state: State, report: Report, returns: Returns): void {
  const value = state.values[0];
  if (fn !== 0 || value?.[0] !== 'constant' || typeof returns !== 'object') return;
  const [min, max] = returns;
  const within = (n: number): boolean => n >= min && n <= max;
  // Of some types the kernel looks at the lower half only.
  if (!within(value[1]) && !within(value[1] | 0))
    report('RETURN_RANGE', `returns ${value[1]}; this type of program must return ${min} to ${max}`);
}

/** A load or store at r10 + `from` + its own offset. */
function accessStack(insn: MemoryInsn, from: number, state: State, report: Report, inFastcall: boolean): void {
  const off = from + insn.off;
  const size = sizeBytes[insn.size];
  const place = `${size} bytes at r10${off < 0 ? '' : '+'}${off}`;
  if (off < -STACK_BYTES || off + size > 0) {
    // Linux 6.12 removes what saves registers around some calls, and has room for them below the stack.
    if (!(inFastcall && off < 0 && off >= -STACK_BYTES - 48))
      report('STACK_BOUNDS', `accesses ${place}; use an offset from -${STACK_BYTES} to -${size}`);
    return;
  }
  if (off % size !== 0) report('STACK_ALIGNMENT', `accesses ${place}, unaligned; use a multiple of ${size}`);
  const bytes = ((1n << BigInt(size)) - 1n) << BigInt(off + STACK_BYTES);
  if ((isLoad(insn) || insn.kind === 'atomic') && (state.stack & bytes) !== bytes)
    report('UNINIT_STACK', `reads ${place}, not all of which were written; write it first`);
  state.stack |= bytes;
}
