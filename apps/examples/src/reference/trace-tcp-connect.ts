// Shows the next TCP connection over IPv4 that a process makes, when the kernel starts with it: by any process, or by one.
//
//   npm run example trace-tcp-connect [PID]
//
// The arguments are where the kernel's types say: in an array that r1 points to, and not in r1 to r3.
import { array, char, s32, struct, u8, u16, u32 } from '@bpf/btf/data';
import {
  currentComm,
  currentPid,
  fieldAt,
  filterByPid,
  probeReadKernel,
  setField,
  stackRecord,
  zeroStack,
} from '@bpf/dsl';
import { defineFentry } from '@bpf/dsl-fentry';
import { ringbufOutput } from '@bpf/dsl-maps';
import { createMap } from '@bpf/maps';
import { attach, kernelBtf, loadProgram } from '@bpf/programs';

const pid = Number(process.argv[2] ?? 0);
const SockaddrIn = struct({ family: u16, port: array(u8, 2), address: array(u8, 4) }); // in network byte order
const Connect = struct({ pid: u32, comm: char(16), length: s32, to: SockaddrIn });
const event = stackRecord(Connect, -32);

const connects = defineFentry(
  { function: 'tcp_v4_connect', btf: kernelBtf(), args: ['sk', 'uaddr', 'addr_len'] },
  ({ uaddr, addr_len }) => [
    pid ? filterByPid(pid, 'return') : [],
    zeroStack(event.at, event.size),
    setField(event, 'pid', currentPid()),
    setField(event, 'length', addr_len),
    currentComm(fieldAt(event, 'comm')),
    probeReadKernel(fieldAt(event, 'to'), SockaddrIn.size, uaddr), // the kernel's copy of what the process passed
    ringbufOutput('events', event.at, event.size),
  ],
);

using events = createMap({ type: 'ringbuf', bytes: 64 * 1024, value: Connect });
using program = loadProgram(connects, { maps: { events } });
using _ = attach(program);
console.log('Waiting for a connection …');
for await (const { pid, comm, length, to } of events.events()) {
  console.log(`${comm} (${pid}) to ${to.address.join('.')}:${Buffer.from(to.port).readUInt16BE()}, ${length} bytes`);
  break;
}
