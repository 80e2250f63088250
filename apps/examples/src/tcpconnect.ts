// Shows TCP connections as they are made, by any process or by one, until so many were:
//
//   npm run example tcpconnect [COUNT] [PID]
//
// A program runs when the kernel's function for that is entered, and reads the socket.
import { array, char, struct, u8, u16, u32 } from '@bpf/btf/data';
import { copyFields, currentComm, currentPid, fieldAt, filterByPid, setField, stackRecord, zeroStack } from '@bpf/dsl';
import { defineFentry } from '@bpf/dsl-fentry';
import { ringbufOutput } from '@bpf/dsl-maps';
import { createMap } from '@bpf/maps';
import { attach, kernelBtf, loadProgram } from '@bpf/programs';
import { UnavailableError } from '@bpf/sys';

let [count = 10, pid = 0] = process.argv.slice(2).map(Number);

const address = { toPort: array(u8, 2), to: array(u8, 4), to6: array(u8, 16) }; // in network byte order
const Connect = struct({ pid: u32, comm: char(16), family: u16, port: u16, ...address });
const event = stackRecord(Connect, -48);

try {
  const connects = defineFentry({ function: 'tcp_connect', btf: kernelBtf(), args: ['sk'] }, (_, { sk }) => [
    pid ? filterByPid(pid, 'return') : [],
    zeroStack(event.at, event.size),
    setField(event, 'pid', currentPid()),
    copyFields(sk, event, {
      family: '__sk_common.skc_family',
      port: '__sk_common.skc_num',
      toPort: '__sk_common.skc_dport',
      to: '__sk_common.skc_daddr',
      to6: '__sk_common.skc_v6_daddr',
    }),
    currentComm(fieldAt(event, 'comm')),
    ringbufOutput('events', event.at, event.size),
  ]);
  using events = createMap({ type: 'ringbuf', bytes: 64 * 1024, value: Connect });
  using program = loadProgram(connects, { maps: { events } });
  using _ = attach(program);
  console.log('   PID COMM              PORT TO');
  for await (const { pid, comm, family, port, toPort, to, to6 } of events.events()) {
    const host = family === 2 ? to.join('.') : `[${Buffer.from(to6).toString('hex').match(/..../g)?.join(':')}]`;
    const end = `${host}:${Buffer.from(toPort).readUInt16BE()}`;
    console.log(String(pid).padStart(6), comm.padEnd(16), String(port).padStart(5), end);
    if (--count <= 0) break;
  }
} catch (error) {
  if (!(error instanceof UnavailableError)) throw error;
  console.error(error.message);
  process.exitCode = 77;
}
