import { getLibc } from './libc.ts';
import { withScope } from './memory.ts';

const E2BIG = 7;
/** A command that no kernel has: each looks first at whether the attr is one that it can read. */
const NO_COMMAND = 0x7fff;
const MOST = 256;

/**
 * The size of this kernel's `union bpf_attr`, as it turns out: it refuses an attr with anything behind that. 120 on Linux
 * 5.10, 168 on 7.2.
 */
export function attrSize(): number {
  const { syscall, numbers, errno } = getLibc();
  return withScope((scope) => {
    const { address, bytes } = scope.alloc(MOST);
    for (let size = 0; size < MOST; size += 4) {
      bytes.fill(0);
      bytes[size] = 1;
      if (syscall(numbers.bpf, NO_COMMAND, address, MOST) < 0 && errno[0] === E2BIG) return size;
    }
    return MOST;
  });
}
