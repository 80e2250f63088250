import { statSync } from 'node:fs';
import { callHelper, currentPid } from '@bpf/dsl';
import { jeq, ldx, type Program } from '@bpf/insn';

/** include/linux/proc_ns.h: PROC_PID_INIT_INO, the namespace whose numbers bpf_get_current_pid_tgid(2) gives. */
const FIRST_PID_NS = 0xefff_fffc;
const GET_NS_CURRENT_PID_TGID = 120;
/** struct bpf_pidns_info: pid, tgid. */
const [INFO_BYTES, TGID] = [8, 4] as const;

/**
 * Emits `if (current is this process) goto out`. In a PID namespace this process knows its number there only: the program asks
 * for that, which is 0 for processes that are elsewhere, and needs Linux 5.7. Clobbers r0 to r5.
 *
 * @param at 8 bytes in the stack
 */
export function jumpIfOwn(at: number, out: string): Program {
  const namespace = statSync('/proc/self/ns/pid', { throwIfNoEntry: false });
  if (namespace === undefined || namespace.ino === FIRST_PID_NS) return [currentPid(), jeq('r0', process.pid, out)];
  const { dev, ino } = namespace;
  const info = { memory: at, bytes: INFO_BYTES, align: 8 };
  return [
    callHelper('ns_pid', GET_NS_CURRENT_PID_TGID, [dev, ino, info, INFO_BYTES]),
    ldx('w', 'r0', 'r10', at + TGID),
    jeq('r0', process.pid, out),
  ];
}
