import { encodeBtf } from '@bpf/btf/build';
import {
  add,
  assemble,
  call,
  exit,
  jeq,
  jne,
  label,
  lddw,
  ldFunc,
  ldMapFd,
  ldMapValue,
  ldx,
  mov,
  type Program,
  slotCount,
  st,
  stx,
} from '@bpf/insn';
import { btfLoad, type Fd, type HasFd, type MapFd, mapCreate, mapLookupElem, progLoad } from '@bpf/sys';

const PERF_EVENT_OUTPUT = 25;
const RINGBUF_OUTPUT = 130;
const RINGBUF_RESERVE = 131;
const RINGBUF_SUBMIT = 132;
const RINGBUF_DISCARD = 133;
const DYNPTR_READ = 201;
const USER_RINGBUF_DRAIN = 209;
const BPF_F_CURRENT_CPU = 0xffff_ffffn;

/** What a counting program counts: its runs, and those whose record had no room. */
export class Counts implements Disposable {
  readonly map: MapFd = mapCreate({ type: 'array', keySize: 4, valueSize: 16, maxEntries: 1 });

  read(): { runs: number; full: number } {
    const value = new Uint8Array(16);
    mapLookupElem(this.map, new Uint8Array(4), value);
    const view = new DataView(value.buffer);
    return { runs: Number(view.getBigUint64(0, true)), full: Number(view.getBigUint64(8, true)) };
  }

  [Symbol.dispose](): void {
    this.map.close();
  }
}

/** Makes {run, run + 100} of two u64 on the stack, hands it to a helper at r10 - 16, and counts when that fails. */
function loadCounting(counts: Counts, output: Program): Fd {
  return load([
    mov('r8', 'r1'),
    ldMapValue('r6', counts.map.fd, 0),
    ldx('dw', 'r7', 'r6', 0),
    add('r7', 1),
    stx('dw', 'r6', 'r7', 0),
    stx('dw', 'r10', 'r7', -16),
    add('r7', 100),
    stx('dw', 'r10', 'r7', -8),
    output,
    jeq('r0', 0, 'written'),
    ldx('dw', 'r7', 'r6', 8),
    add('r7', 1),
    stx('dw', 'r6', 'r7', 8),
    label('written'),
    mov('r0', 0),
    exit(),
  ]);
}

/** A record of 16 bytes, 24 in the ring, with each run. */
export function loadOutput(ring: HasFd, counts: Counts): Fd {
  return loadCounting(counts, [
    ldMapFd('r1', ring.fd),
    mov('r2', 'r10'),
    add('r2', -16),
    mov('r3', 16),
    mov('r4', 0),
    call(RINGBUF_OUTPUT),
  ]);
}

/** A sample of 12 bytes, which the kernel need not pad, with each run. */
export function loadPerfOutput(map: HasFd, counts: Counts): Fd {
  return loadCounting(counts, [
    mov('r1', 'r8'),
    ldMapFd('r2', map.fd),
    lddw('r3', BPF_F_CURRENT_CPU),
    mov('r4', 'r10'),
    add('r4', -16),
    mov('r5', 12),
    call(PERF_EVENT_OUTPUT),
  ]);
}

/** Reserves a record of 8 bytes for each number, writes that, and submits it, or discards it when it is negative. */
export function loadReserve(ring: HasFd, numbers: readonly number[]): Fd {
  const one = (n: number, i: number): Program => [
    ldMapFd('r1', ring.fd),
    mov('r2', 8),
    mov('r3', 0),
    call(RINGBUF_RESERVE),
    jeq('r0', 0, `full${i}`),
    st('dw', 'r0', 0, n),
    mov('r1', 'r0'),
    mov('r2', 0),
    call(n < 0 ? RINGBUF_DISCARD : RINGBUF_SUBMIT),
    label(`full${i}`),
  ];
  return load([numbers.map(one), mov('r0', 0), exit()]);
}

/** Drains a user ring, and puts the first 8 bytes of each record into a ring buffer; r0 is how many there were. */
export function loadDrain(user: HasFd, ring: HasFd): Fd {
  const main: Program = [
    ldMapFd('r1', user.fd),
    ldFunc('r2', 'callback'),
    mov('r3', 0),
    mov('r4', 0),
    call(USER_RINGBUF_DRAIN),
    exit(),
  ];
  const callback: Program = [
    label('callback'),
    mov('r3', 'r1'),
    st('dw', 'r10', -8, 0),
    mov('r1', 'r10'),
    add('r1', -8),
    mov('r2', 8),
    mov('r4', 0),
    mov('r5', 0),
    call(DYNPTR_READ),
    jne('r0', 0, 'done'),
    ldMapFd('r1', ring.fd),
    mov('r2', 'r10'),
    add('r2', -8),
    mov('r3', 8),
    mov('r4', 0),
    call(RINGBUF_OUTPUT),
    label('done'),
    mov('r0', 0),
    exit(),
  ];
  using btf = btfLoad(
    encodeBtf([
      { kind: 'int', name: 'int', size: 4, bits: 32, bitOffset: 0, encoding: 'signed' },
      { kind: 'ptr', name: '', typeId: 0 },
      { kind: 'func_proto', name: '', returnTypeId: 1, params: [{ name: 'ctx', typeId: 2 }] },
      { kind: 'func', name: 'main', typeId: 3, linkage: 'global' },
      {
        kind: 'func_proto',
        name: '',
        returnTypeId: 1,
        params: [
          { name: 'dynptr', typeId: 2 },
          { name: 'ctx', typeId: 2 },
        ],
      },
      { kind: 'func', name: 'callback', typeId: 5, linkage: 'static' },
    ]),
  );
  const funcInfo = new Uint8Array(Uint32Array.of(0, 4, slotCount(main), 6).buffer);
  return progLoad({
    type: 'socket_filter',
    insns: assemble([main, callback]),
    license: 'GPL',
    btf,
    funcInfo: { bytes: funcInfo, recordSize: 8 },
  });
}

function load(program: Program): Fd {
  return progLoad({ type: 'socket_filter', insns: assemble(program), license: 'GPL' });
}
