import { add, call, exit, jeq, label, ldAbs, ldMapFd, ldx, mov, mov32, type Program, st, stx } from '@bpf/insn';
import { lookUp, ok, PRANDOM, type Refused, reserve } from './verifier-catalogue-parts.ts';

const iterator = { type: 'tracing', attachType: 'trace_iter', attachTo: 'task' } as const;
/** `use` of r0, a value of 'counts': 7 slots before it. */
const withValue = (use: Program): Program => [lookUp('counts'), jeq('r0', 0, 'out'), use, label('out'), ok];
/** `use` of r1, a task: 2 slots before it. */
const withTask = (use: Program): Program => [ldx('dw', 'r1', 'r1', 8), jeq('r1', 0, 'out'), use, label('out'), ok];

/** Loads and stores. */
export const memory: readonly Refused[] = [
  {
    name: 'a value of a map that may be null',
    instructions: [lookUp('counts'), ldx('dw', 'r0', 'r0', 0), exit()],
    slot: 6,
    reason: /^R0 invalid mem access 'map_value_or_null'$/,
    hint: /^r0 may be null; compare it with 0 first/,
  },
  {
    name: 'memory of a ring buffer that may be null',
    instructions: [reserve, st('dw', 'r0', 0, 1), ok],
    slot: 5,
    reason: /^R0 invalid mem access '(ringbuf_)?(alloc_)?mem_or_null'$/,
    hint: /^r0 may be null; /,
  },
  {
    name: 'a task that may be null',
    spec: iterator,
    instructions: [ldx('dw', 'r1', 'r1', 8), ldx('w', 'r0', 'r1', 0), ok],
    slot: 1,
    reason: /^R1 invalid mem access '(trusted_|rcu_)?ptr_or_null_(task_struct)?'$/,
    hint: /^r1 may be null; /,
  },
  {
    name: 'a number as an address',
    instructions: [mov('r1', 0), ldx('dw', 'r0', 'r1', 0), ok],
    slot: 1,
    reason: /^R1 invalid mem access '(inv|scalar)'$/,
    hint: /^r1 is a number, not a pointer/,
  },
  {
    name: 'a map as memory',
    instructions: [ldMapFd('r1', 'counts'), st('dw', 'r1', 0, 0), ok],
    slot: 2,
    reason: /^only read from bpf_htab is supported$/,
    hint: /bpf_map_lookup_elem/,
  },
  {
    name: 'behind the value of a map',
    instructions: withValue([ldx('dw', 'r0', 'r0', 8)]),
    slot: 7,
    reason:
      /^invalid access to map value, value_size=8 off=8 size=8; R0 min value is outside of the (allowed memory|array) range$/,
    hint: /^there are 8 bytes, and this may go from 8 to 15; /,
  },
  {
    name: 'an unbounded offset into the value of a map',
    instructions: [call(PRANDOM), mov('r6', 'r0'), withValue([add('r0', 'r6'), ldx('b', 'r0', 'r0', 0)])],
    slot: 9,
    reason: /^math between map_value pointer and register with unbounded min value is not allowed$/,
    hint: /bound it first/,
  },
  {
    name: 'an offset into the value of a map that may be negative',
    instructions: [
      lookUp('counts'),
      jeq('r0', 0, 'out'),
      ldx('dw', 'r6', 'r0', 0),
      { kind: 'jump', op: 'jsgt', bits: 64, dst: 'r6', src: 7, target: 'out' },
      add('r0', 'r6'),
      ldx('b', 'r0', 'r0', 0),
      label('out'),
      ok,
    ],
    slot: 9,
    reason: /^math between map_value pointer and register with unbounded min value is not allowed$/,
    hint: /a negative one; bound it first/,
  },
  {
    name: 'an offset into the value of a map that may be too large',
    instructions: withValue([ldx('b', 'r6', 'r0', 0), add('r0', 'r6'), ldx('b', 'r0', 'r0', 0)]),
    slot: 9,
    reason:
      /^invalid access to map value, value_size=8 off=255 size=1; R0 max value is outside of the allowed memory range$/,
    hint: /check an offset that is not constant first$/,
  },
  {
    name: 'an access to the value of a map that is not aligned',
    spec: { flags: ['strict_alignment'] },
    instructions: withValue([ldx('w', 'r0', 'r0', 1)]),
    slot: 7,
    reason: /^misaligned value access off .*1 size 4$/,
    hint: /^value accesses of 4 bytes must be aligned; /,
  },
  {
    name: 'a map that programs may not write',
    instructions: [lookUp('codes'), jeq('r0', 0, 'out'), st('dw', 'r0', 0, 1), label('out'), ok],
    slot: 7,
    reason: /^write into map forbidden, value_size=8 off=0 size=8$/,
    hint: /rdonly_prog/,
  },
  {
    name: 'a map that programs may not read',
    instructions: [lookUp('sink'), jeq('r0', 0, 'out'), ldx('dw', 'r0', 'r0', 0), label('out'), ok],
    slot: 7,
    reason: /^read from map forbidden, value_size=8 off=0 size=8$/,
    hint: /wronly_prog/,
  },
  {
    name: 'a packet whose end was not looked at',
    spec: { type: 'xdp' },
    instructions: [ldx('w', 'r2', 'r1', 0), ldx('b', 'r0', 'r2', 0), exit()],
    slot: 1,
    reason:
      /^invalid access to packet, off=0 size=1, R2\(id=0,off=0,r=0\); R2 (offset is outside of the packet|min value is outside of the allowed memory range)$/,
    hint: /data_end/,
  },
  {
    name: 'a packet load without the context in r6',
    instructions: [mov('r6', 0), ldAbs('w', 0), exit()],
    slot: 1,
    reason: /^at the time of BPF_LD_ABS\|IND R6 != pointer to skb$/,
    hint: /r6/,
  },
  {
    name: 'a packet load in a program without packet loads',
    spec: { type: 'xdp' },
    instructions: [mov('r6', 'r1'), ldAbs('w', 0), exit()],
    slot: 1,
    reason: /^BPF_LD_\[ABS\|IND\] instructions not allowed for this program type$/,
    hint: /xdp/,
  },
  {
    name: 'a store to a task',
    spec: iterator,
    instructions: withTask([mov32('r2', 0), stx('w', 'r1', 'r2', 64)]),
    slot: 3,
    reason: /^only read is supported$/,
    hint: /read/,
  },
  {
    name: 'behind a task',
    spec: iterator,
    instructions: withTask([ldx('dw', 'r2', 'r1', 30_000)]),
    slot: 2,
    reason: /^access beyond struct task_struct at off 30000 size 8$/,
    hint: /task_struct/,
  },
  {
    name: 'an argument that the traced function has not',
    spec: { type: 'tracing', attachType: 'trace_raw_tp', attachTo: 'sched_process_fork' },
    instructions: [ldx('dw', 'r0', 'r1', 40), ok],
    slot: 0,
    reason: /^func 'sched_process_fork' doesn't have \d-th argument; invalid bpf_context access off=40 size=8$/,
    hint: /argument/,
  },
];
