// Shows what became of the next TCP connection over IPv4 that a process makes: by any process, or by one.
//
//   npm run example trace-tcp-connect-exit [PID]
//
// The return value is behind the arguments, in the array that r1 points to; it is an int, whose sign counts.
import { array, char, s32, struct, u8, u32 } from '@bpf/btf/data';
import { copyFields, currentComm, currentPid, fieldAt, filterByPid, setField, stackRecord, zeroStack } from '@bpf/dsl';
import { defineFexit } from '@bpf/dsl-fentry';
import { ringbufOutput } from '@bpf/dsl-maps';
import { createMap } from '@bpf/maps';
import { attach, kernelBtf, loadProgram } from '@bpf/programs';
import { errnoName } from '@bpf/sys';

const pid = Number(process.argv[2] ?? 0);
const Connect = struct({ pid: u32, comm: char(16), result: s32, to: array(u8, 4) });
const event = stackRecord(Connect, -32);

const connects = defineFexit(
  { function: 'tcp_v4_connect', btf: kernelBtf(), args: ['sk', 'return'] },
  ({ return: result }, { sk }) => [
    pid ? filterByPid(pid, 'return') : [],
    zeroStack(event.at, event.size),
    setField(event, 'pid', currentPid()),
    setField(event, 'result', result),
    currentComm(fieldAt(event, 'comm')),
    copyFields(sk, event, { to: '__sk_common.skc_daddr' }), // 0 where it did not get so far
    ringbufOutput('events', event.at, event.size),
  ],
);

using events = createMap({ type: 'ringbuf', bytes: 64 * 1024, value: Connect });
using program = loadProgram(connects, { maps: { events } });
using _ = attach(program);
console.log('Waiting for a connection …');
for await (const { pid, comm, result, to } of events.events()) {
  console.log(`${comm} (${pid}) to ${to.join('.')}: ${result < 0 ? errnoName(-result) : 'under way'}`);
  break;
}
