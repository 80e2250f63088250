// Shows files as they are opened, by any process or by one, until so many were:
//
//   npm run example opensnoop [COUNT] [PID]
//
// A program runs when the kernel's function that opens files returns, and puts a record into a ring buffer. Then the path is
// in memory for sure, and the result is known: a file descriptor, or a negative errno.
import { char, s32, struct, u32 } from '@bpf/btf/data';
import {
  currentComm,
  currentPid,
  fieldAt,
  filterByPid,
  probeReadUserStr,
  setField,
  stackRecord,
  zeroStack,
} from '@bpf/dsl';
import { defineFexit } from '@bpf/dsl-fentry';
import { ringbufOutput } from '@bpf/dsl-maps';
import { createMap } from '@bpf/maps';
import { attach, kernelBtf, loadProgram } from '@bpf/programs';
import { UnavailableError } from '@bpf/sys';

let [count = 20, pid = 0] = process.argv.slice(2).map(Number);

const Open = struct({ pid: u32, result: s32, comm: char(16), path: char(256) });
const event = stackRecord(Open, -280);

try {
  const options = { function: 'do_sys_openat2', btf: kernelBtf(), args: ['filename', 'return'] } as const;
  const opens = defineFexit(options, ({ filename, return: result }) => [
    pid ? filterByPid(pid, 'return') : [],
    zeroStack(event.at, event.size),
    setField(event, 'pid', currentPid()),
    setField(event, 'result', result),
    currentComm(fieldAt(event, 'comm')),
    probeReadUserStr(fieldAt(event, 'path'), 256, filename),
    ringbufOutput('events', event.at, event.size),
  ]);
  using events = createMap({ type: 'ringbuf', bytes: 256 * 1024, value: Open });
  using program = loadProgram(opens, { maps: { events } });
  using _ = attach(program);
  console.log('   PID COMM             RESULT PATH');
  for await (const { pid, comm, result, path } of events.events()) {
    console.log(String(pid).padStart(6), comm.padEnd(16), String(result).padStart(6), path);
    if (--count <= 0) break;
  }
} catch (error) {
  if (!(error instanceof UnavailableError)) throw error;
  console.error(error.message);
  process.exitCode = 77;
}
