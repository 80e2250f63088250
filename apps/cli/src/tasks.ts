import type { Btf, BtfPlace } from '@bpf/btf';
import {
  checkNullAndExit,
  iterContext,
  loadCtxPtr,
  makeIterInfo,
  prologueWithMeta,
  returnContinue,
  seqWrite,
} from '@bpf/dsl-iter';
import { ldx, type Program, type Register, type Size, st, stx, type WritableRegister } from '@bpf/insn';
import { kernelBtf, openIterator, type ProgramSpec } from '@bpf/programs';

/** A thread, as the kernel has it. */
export interface Task {
  /** The thread's id: what the kernel calls a pid. */
  readonly pid: number;
  /** The process that it belongs to: what user space calls a pid. */
  readonly tgid: number;
  readonly comm: string;
  /** The letter that ps shows: R running, S sleeping, D in uninterruptible sleep, T stopped, t traced, X dead, Z zombie, P parked, I idle. */
  readonly state: string;
}

/** What the program writes for each task: byte offsets, and the whole's size. */
const record = { pid: 0, tgid: 4, state: 8, exitState: 16, comm: 24, bytes: 40 };
const COMM_BYTES = 16;

/** Lists every thread that the kernel shows. */
export function* listTasks(): Generator<Task> {
  using tasks = openIterator(taskProgram(kernelBtf()));
  for (const bytes of tasks.records(record.bytes)) yield decode(bytes);
}

/** The iterator program, with the offsets of this kernel's task_struct. */
function taskProgram(btf: Btf): ProgramSpec {
  const field = (name: string): BtfPlace => btf.member('task_struct', name);
  // A long until Linux 5.14, which made it an unsigned int and gave it the underscores.
  const state = btf.hasMember('task_struct', '__state') ? field('__state') : field('state');
  const comm = field('comm').offset;
  const stack = -record.bytes;
  const ctx = iterContext('task', 'r6');
  const instructions: Program = [
    prologueWithMeta(ctx, 'r8'),
    loadCtxPtr(ctx, 'r7', 'task'),
    checkNullAndExit('r7'),
    copy('w', 'r7', field('pid').offset, stack + record.pid),
    copy('w', 'r7', field('tgid').offset, stack + record.tgid),
    st('dw', 'r10', stack + record.state, 0),
    copy(state.size === 8 ? 'dw' : 'w', 'r7', state.offset, stack + record.state),
    st('dw', 'r10', stack + record.exitState, 0),
    copy('w', 'r7', field('exit_state').offset, stack + record.exitState),
    copy('dw', 'r7', comm, stack + record.comm),
    copy('dw', 'r7', comm + 8, stack + record.comm + 8),
    seqWrite('r8', stack, record.bytes),
    returnContinue(),
  ];
  return makeIterInfo('tasks', 'task', instructions);
}

/** Copies a field of what `src` points to into the stack, through r1. */
function copy(size: Size, src: Register, from: number, to: number): Program {
  const via: WritableRegister = 'r1';
  return [ldx(size, via, src, from), stx(size, 'r10', via, to)];
}

function decode(bytes: Uint8Array): Task {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const comm = bytes.subarray(record.comm, record.comm + COMM_BYTES);
  const end = comm.indexOf(0);
  return {
    pid: view.getInt32(record.pid, true),
    tgid: view.getInt32(record.tgid, true),
    comm: new TextDecoder().decode(comm.subarray(0, end < 0 ? COMM_BYTES : end)),
    state: stateLetter(view.getUint32(record.state, true), view.getUint32(record.exitState, true)),
  };
}

const TASK_UNINTERRUPTIBLE = 0x02;
const TASK_NOLOAD = 0x400;
const TASK_IDLE = TASK_UNINTERRUPTIBLE | TASK_NOLOAD;
const TASK_RTLOCK_WAIT = 0x1000;
const TASK_FROZEN = 0x8000;
/** The bits that have a letter: running has none, then interruptible, uninterruptible, stopped, traced, dead, zombie, parked. */
const TASK_REPORT = 0x7f;
const LETTERS = 'RSDTtXZPI';

/** The letter of /proc/PID/stat. Source: __task_state_index() in include/linux/sched.h of the kernel. */
export function stateLetter(state: number, exitState: number): string {
  let reported = (state | exitState) & TASK_REPORT;
  if ((state & TASK_IDLE) === TASK_IDLE) reported = TASK_REPORT + 1;
  if (state & (TASK_RTLOCK_WAIT | TASK_FROZEN)) reported = TASK_UNINTERRUPTIBLE;
  return LETTERS[32 - Math.clz32(reported)] ?? '?';
}
