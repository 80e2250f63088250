// What the tests of attaching share: programs that count, and a look at what they counted.
import assert from 'node:assert/strict';
import { atomicAdd, call, exit, type Program as Instructions, jne, label, ldMapValue, mov, rsh, stx } from '@bpf/insn';
import { type MapFd, mapCreate, mapLookupElem } from '@bpf/sys';
import { type Link, loadProgram, type Program, type ProgramSpec } from '../src/index.ts';

const GET_CURRENT_PID_TGID = 14;
const GET_ATTACH_COOKIE = 174;

/** A program that counts its runs, and the map that it counts in. */
export class Counting implements Disposable {
  readonly program: Program;
  readonly #map: MapFd;

  constructor(program: Program, map: MapFd) {
    this.program = program;
    this.#map = map;
  }

  get count(): number {
    return Number(this.#read(0));
  }

  /** What the last run got as its cookie. */
  get cookie(): bigint {
    return this.#read(8);
  }

  #read(offset: number): bigint {
    const value = new Uint8Array(16);
    mapLookupElem(this.#map, new Uint8Array(4), value);
    return new DataView(value.buffer).getBigUint64(offset, true);
  }

  [Symbol.dispose](): void {
    this.program.close();
    this.#map.close();
  }
}

interface CountOptions {
  /** What the program returns. 0 unless told. */
  readonly result?: number | Instructions;
  /** It counts only what this process does: for what others do too. */
  readonly mine?: boolean;
  /** It stores its cookie. */
  readonly cookie?: boolean;
  readonly target?: { readonly fd: number };
}

export function counting(spec: Omit<ProgramSpec, 'name' | 'instructions'>, options: CountOptions = {}): Counting {
  const { result = 0, mine = false, cookie = false, target } = options;
  const map = mapCreate({ type: 'array', keySize: 4, valueSize: 16, maxEntries: 1, name: 'count' });
  const instructions: Instructions = [
    mov('r6', 'r1'),
    mine ? [call(GET_CURRENT_PID_TGID), rsh('r0', 32), jne('r0', process.pid, 'out')] : [],
    cookie
      ? [mov('r1', 'r6'), call(GET_ATTACH_COOKIE), ldMapValue('r1', 'count', 0), stx('dw', 'r1', 'r0', 8)]
      : ldMapValue('r1', 'count', 0),
    mov('r2', 1),
    atomicAdd('dw', 'r1', 'r2', 0),
    label('out'),
    typeof result === 'number' ? mov('r0', result) : result,
    exit(),
  ];
  try {
    const options = { maps: { count: map }, ...(target && { target }) };
    return new Counting(loadProgram({ name: 'count', ...spec, instructions }, options), map);
  } catch (error) {
    map.close();
    throw error;
  }
}

/** Attached, the program counts what `act` does; after the link is closed, or detached while it is open, no more. */
export function assertCounts(
  counting: Counting,
  link: Link,
  act: () => void,
  what: string = link.how,
  end: 'close' | 'detach' = 'close',
): void {
  const before = counting.count;
  act();
  assert.ok(counting.count > before, `${what} (${link.how}): nothing was counted`);
  link[end]();
  const after = counting.count;
  act();
  assert.equal(counting.count, after, `${what} (${link.how}): counted after the ${end}`);
  link.close();
}
