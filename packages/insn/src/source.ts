import type { Insn, SourceLocation } from './insn.ts';

/** Set while sources are captured. A variable, so that bundles without `captureSource` go without what it needs. */
let locate: typeof withLocation | undefined;

/**
 * Runs `build` so that every instruction made meanwhile remembers, in `at`, the file, line and column of the call that
 * made it: for line info, and for errors that quote the program. Calls made from inside packages (`node_modules`) are
 * put down to who called the package. Costs a stack trace for each instruction, and nothing when it is not used.
 *
 * @example
 * ```ts
 * const program = captureSource(() => [mov('r0', 0), exit()]);
 * program[0].at; // { file: '/home/me/ps.ts', line: 12, column: 39 }
 * ```
 */
export function captureSource<T>(build: () => T): T {
  const before = locate;
  locate = withLocation;
  try {
    return build();
  } finally {
    locate = before;
  }
}

/** Every builder returns through here. */
export function made<T extends Insn>(insn: T): T {
  return locate ? locate(insn) : insn;
}

/** V8: `    at name (file:1:2)` or `    at file:1:2`; Firefox and Safari: `name@file:1:2`. */
const FRAME = /(?:\(|@|at )([^()@]*?):(\d+):(\d+)\)?$/;

function withLocation<T extends Insn>(insn: T): T {
  const frames: SourceLocation[] = [];
  for (const text of (new Error().stack ?? '').split('\n')) {
    const [, file, line, column] = FRAME.exec(text) ?? [];
    if (file)
      frames.push({ file: file.replace(/^(async )?(file:\/\/)?/, ''), line: Number(line), column: Number(column) });
  }
  // The first is this function, the second `made`, the third the builder; those from the same folder are builders that
  // call others.
  const [own] = frames;
  const folder = own?.file.replace(/[^/\\]*$/, '') ?? '';
  const foreign = frames.find(({ file }) => !file.startsWith(folder) && !/[/\\]node_modules[/\\]/.test(file));
  // In a bundle everything is one file.
  const at = foreign ?? frames[3];
  return at ? { ...insn, at } : insn;
}
