import { assemble, call, exit, jeq, label, ldMapFd, mov, type Program, st } from '@bpf/insn';
import { type Fd, type MapFd, progLoad } from '@bpf/sys';

const RINGBUF_RESERVE = 131;
const RINGBUF_SUBMIT = 132;

/** A program that puts `records` records of `bytes` bytes into a ring with each run: 32-bit words that count from 1. */
export function loadFiller(ring: MapFd, records: number, bytes: number): Fd {
  const one = (i: number): Program => [
    ldMapFd('r1', ring.fd),
    mov('r2', bytes),
    mov('r3', 0),
    call(RINGBUF_RESERVE),
    jeq('r0', 0, `full${i}`),
    Array.from({ length: bytes / 4 }, (_, word) => st('w', 'r0', word * 4, word + 1)),
    mov('r1', 'r0'),
    mov('r2', 0),
    call(RINGBUF_SUBMIT),
    label(`full${i}`),
  ];
  const insns = assemble([Array.from({ length: records }, (_, i) => one(i)), mov('r0', 0), exit()]);
  return progLoad({ type: 'socket_filter', insns, license: 'GPL', name: 'fill' });
}
