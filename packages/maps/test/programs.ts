// What the tests of maps that only programs make use of share.
import { assemble, type Program } from '@bpf/insn';
import { type Fd, type HasFd, type ProgLoadOptions, progLoad, progTestRun, rawSyscall, withScope } from '@bpf/sys';

/** Loads a program, whose maps are named. */
export function load(
  type: ProgLoadOptions['type'],
  instructions: Program,
  maps: Readonly<Record<string, HasFd>> = {},
  more: Partial<ProgLoadOptions> = {},
): Fd {
  const fds = Object.fromEntries(Object.entries(maps).map(([name, map]) => [name, map.fd]));
  return progLoad({ type, insns: assemble(instructions, { maps: fds }), license: 'GPL', ...more });
}

/** Runs a raw_tracepoint program once, here and now. @returns what it returns, with its sign */
export const runRaw = (prog: HasFd): number => progTestRun(prog, {}).retval | 0;

/** setsockopt(2). */
export function setOption(socket: HasFd, level: number, option: number, value: Uint8Array): void {
  const number = process.arch === 'x64' ? 54 : 208;
  const result = withScope((scope) =>
    rawSyscall(number, socket.fd, level, option, scope.copy(value), value.byteLength),
  );
  if (result < 0) throw new Error(`setsockopt ${option}: ${result}`);
}

/** getsockopt(2). @returns as many bytes as the kernel gave, at most `bytes` */
export function getOption(socket: HasFd, level: number, option: number, bytes: number): Uint8Array {
  const number = process.arch === 'x64' ? 55 : 209;
  return withScope((scope) => {
    const length = scope.alloc(4);
    length.view.setUint32(0, bytes, true);
    const value = scope.alloc(bytes);
    const result = rawSyscall(number, socket.fd, level, option, value, length);
    if (result < 0) throw new Error(`getsockopt ${option}: ${result}`);
    return value.bytes.slice(0, length.view.getUint32(0, true));
  });
}
