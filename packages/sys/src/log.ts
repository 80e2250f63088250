import { alloc, free, LE } from './memory.ts';

const FIRST_LOG_BYTES = 64 * 1024;
const MAX_LOG_BYTES = 16 * 1024 * 1024;
const ENOSPC = 28;

/** Where a command's attr has the fields of its log. */
export interface LogFields {
  readonly level: number;
  readonly size: number;
  readonly buffer: number;
  /** How much the kernel wanted, which it says since Linux 6.4. */
  readonly trueSize: number;
}

/**
 * Makes a call again with log level 1, in a buffer that grows until the log fits.
 *
 * @param call makes it and returns its result, or -errno
 */
export function callWithLog(attr: DataView, at: LogFields, call: () => number): { result: number; log: string } {
  for (let logBytes = FIRST_LOG_BYTES; ; ) {
    const buffer = alloc(logBytes);
    try {
      attr.setUint32(at.level, 1, LE);
      attr.setUint32(at.size, logBytes, LE);
      attr.setBigUint64(at.buffer, buffer.address, LE);
      attr.setUint32(at.trueSize, 0, LE);
      const result = call();
      const end = buffer.bytes.indexOf(0);
      // Before 6.4, types that are refused come with a log that was cut, and not with ENOSPC.
      const cut = result === -ENOSPC || (result < 0 && (end < 0 || end === logBytes - 1));
      if (cut && logBytes < MAX_LOG_BYTES) {
        logBytes = Math.min(Math.max(attr.getUint32(at.trueSize, LE), logBytes * 8), MAX_LOG_BYTES);
        continue;
      }
      return { result, log: new TextDecoder().decode(buffer.bytes.subarray(0, end < 0 ? logBytes : end)) };
    } finally {
      free(buffer);
    }
  }
}
