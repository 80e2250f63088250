import { callHelper, currentComm, filterByComm, filterByPid, ktimeGetNs, type Operand, zeroStack } from '@bpf/dsl';
import { type FentryInfo, fentryReturn, makeFentryProgramInfo, makeFexitProgramInfo } from '@bpf/dsl-fentry';
import { mapDelete, mapIncrement, mapLookup, mapUpdate, ringbufReserve, ringbufSubmit } from '@bpf/dsl-maps';
import { add, call, ja, jeq, jeq32, jne, label, ldx, mov, type Program, rsh, st, stx, sub } from '@bpf/insn';
import { capture, inRecord } from './capture.ts';
import { enter, leave } from './guard.ts';
import { jumpIfOwn } from './own.ts';
import type { Traced } from './plan.ts';
import { FRAMES, Header, type Layout } from './record.ts';

/** Whose calls are traced. */
export interface Whose {
  readonly pid?: number | undefined;
  readonly comm?: string | undefined;
}

const GET_CURRENT_PID_TGID = 14;
const GET_STACK = 67;

/** In the stack: a name of 16 bytes or key of 16, two numbers of 8, an index of 4. The last 8 bytes are `capture`'s. */
const [KEY, NUMBER, INDEX] = [-24, -32, -36] as const;

/** Emits the jump to 'return' for calls that are not asked for; those of this command itself must be. */
function only({ pid, comm }: Whose): Program {
  return [
    pid === undefined ? jumpIfOwn(NUMBER, 'return') : filterByPid(pid, 'return'),
    comm === undefined ? [] : filterByComm(KEY, comm, 'return'),
  ];
}

/** The whole program. The body may jump to 'return'; r6 is its context. */
function program({ func: { name } }: Traced, at: 'entry' | 'exit', ...body: readonly Program[]): FentryInfo {
  const make = at === 'exit' ? makeFexitProgramInfo : makeFentryProgramInfo;
  return make(name, name, [mov('r6', 'r1'), enter(INDEX), body, label('return'), leave(INDEX), fentryReturn()]);
}

/** Emits `lost++`: something had no room in its map. */
const countLost: Program = [st('w', 'r10', INDEX, 0), mapIncrement('lost', INDEX, NUMBER)];

/** A program that writes a record of each call into the ring buffer. */
export function eventProgram(traced: Traced, layout: Layout, at: 'entry' | 'exit', whose: Whose): FentryInfo {
  const { time, function: index, pid, tid, comm } = Header.offsets;
  const { stack } = layout;
  return program(traced, at, only(whose), [
    ringbufReserve('events', layout.size),
    jne('r0', 0, 'room'),
    countLost,
    ja('return'),
    label('room'),
    mov('r9', 'r0'),
    ktimeGetNs(),
    stx('dw', 'r9', 'r0', time),
    st('w', 'r9', index, traced.index),
    call(GET_CURRENT_PID_TGID),
    stx('w', 'r9', 'r0', tid),
    rsh('r0', 32),
    stx('w', 'r9', 'r0', pid),
    callHelper('comm', 16, [inRecord(comm), 16]),
    layout.values.map(({ value, at }) => capture(value, at)),
    stack === undefined ? [] : [copyStack(inRecord(stack + 8)), stx('dw', 'r9', 'r0', stack)],
    ringbufSubmit('r9'),
  ]);
}

function copyStack(to: Operand): Program {
  return callHelper('get_stack', GET_STACK, ['r6', to, 8 * FRAMES, 0]);
}

/** A program that counts calls, by function in an array or by the thread's name in a hash. */
export function countProgram(traced: Traced, by: 'function' | 'comm', at: 'entry' | 'exit', whose: Whose): FentryInfo {
  const key = by === 'comm' ? KEY : INDEX;
  return program(traced, at, only(whose), [
    by === 'comm' ? [zeroStack(KEY, 16), currentComm(KEY)] : st('w', 'r10', INDEX, traced.index),
    mapIncrement('calls', key, NUMBER),
    jeq32('r0', 0, 'return'),
    countLost,
  ]);
}

/** Buckets of a histogram: one for each power of two of a u64. */
export const BUCKETS = 64;

/**
 * A program that remembers when a call began, and one that counts how long it took in the function's histogram. A call is
 * known by its thread and function: of a function that calls itself, the innermost is timed. Where the guard stops the
 * second program, the beginning stays: should that thread's next call be missed when it begins, it is timed from there.
 */
export function latencyPrograms(traced: Traced, whose: Whose): [entry: FentryInfo, exit: FentryInfo] {
  const key: Program = [
    call(GET_CURRENT_PID_TGID),
    stx('dw', 'r10', 'r0', KEY),
    st('dw', 'r10', KEY + 8, traced.index),
  ];
  const entry = program(traced, 'entry', only(whose), [
    key,
    ktimeGetNs(),
    stx('dw', 'r10', 'r0', NUMBER),
    mapUpdate('started', KEY, NUMBER),
    jeq32('r0', 0, 'return'),
    countLost,
  ]);
  const exit = program(traced, 'exit', [
    ktimeGetNs(),
    mov('r7', 'r0'),
    key,
    mapLookup('started', KEY),
    jeq('r0', 0, 'return'), // it was in there already, or is not traced
    ldx('dw', 'r1', 'r0', 0),
    sub('r7', 'r1'),
    mapDelete('started', KEY),
    log2('r8', 'r7'),
    add('r8', traced.index * BUCKETS),
    stx('w', 'r10', 'r8', INDEX),
    mapIncrement('histogram', INDEX, NUMBER),
  ]);
  return [entry, exit];
}

/** Emits `dst = log2(src)`, 0 for 0: halves src as often as needed. */
function log2(dst: 'r8', src: 'r7'): Program {
  const halve = (bits: number): Program => [
    mov('r1', src),
    rsh('r1', bits),
    jeq('r1', 0, 2),
    mov(src, 'r1'),
    add(dst, bits),
  ];
  return [mov(dst, 0), [32, 16, 8, 4, 2, 1].map(halve)];
}
