import type { Attr } from './attr.ts';
import { call } from './bpf.ts';
import { alloc, free } from './memory.ts';

const FIRST_LOG_BYTES = 64 * 1024;
const MAX_LOG_BYTES = 16 * 1024 * 1024;
const ENOSPC = 28;

/** The fields of the log in the two commands that have one. */
const FIELDS = {
  BPF_PROG_LOAD: { level: 'log_level', size: 'log_size', buffer: 'log_buf', trueSize: 'log_true_size' },
  BPF_BTF_LOAD: { level: 'btf_log_level', size: 'btf_log_size', buffer: 'btf_log_buf', trueSize: 'btf_log_true_size' },
} as const;

/**
 * Makes a call again with a log, in a buffer that grows until the log fits: since Linux 6.4 the kernel says how much it
 * wants.
 *
 * @param level 1 for the steps of the verifier, 2 for the state after each, 4 for statistics alone
 */
export function callWithLog(
  attr: Attr<keyof typeof FIELDS>,
  level: number = 1,
): { readonly result: number; readonly log: string } {
  const at = FIELDS[attr.command];
  for (let logBytes = FIRST_LOG_BYTES; ; ) {
    const buffer = alloc(logBytes);
    try {
      attr.set({ [at.level]: level, [at.size]: logBytes, [at.buffer]: buffer.address, [at.trueSize]: 0 });
      const result = call(attr);
      const end = buffer.bytes.indexOf(0);
      // Before 6.4, types that are refused come with a log that was cut, and not with ENOSPC.
      const cut = result === -ENOSPC || (result < 0 && (end < 0 || end === logBytes - 1));
      if (cut && logBytes < MAX_LOG_BYTES) {
        logBytes = Math.min(Math.max(attr.get(at.trueSize as never), logBytes * 8), MAX_LOG_BYTES);
        continue;
      }
      return { result, log: new TextDecoder().decode(buffer.bytes.subarray(0, end < 0 ? logBytes : end)) };
    } finally {
      free(buffer);
    }
  }
}
