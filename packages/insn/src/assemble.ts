import { encode, type Resolver, SLOT_BYTES, slotsOf } from './encode.ts';
import { InsnError } from './error.ts';
import type { Insn, Program } from './insn.ts';

export interface AssembleOptions {
  /** The file descriptor of each map that `ldMapFd` names. */
  readonly maps?: Readonly<Record<string, number>>;
}

/**
 * Encodes a program for a little-endian kernel: nested arrays are flattened, labels become offsets, named maps
 * become file descriptors.
 *
 * @throws InsnError `LABEL_UNKNOWN`, `LABEL_DUPLICATE`, `JUMP_RANGE`, `MAP_UNKNOWN`, `UNKNOWN_NAME`
 * @example
 * ```ts
 * const bytes = assemble([mov('r0', 0), jeq('r1', 0, 'out'), mov('r0', 1), label('out'), exit()]);
 * ```
 */
export function assemble(program: Program, options: AssembleOptions = {}): Uint8Array {
  const insns = flatten(program, []);
  const { labels, slots } = layOut(insns);
  const resolver: Resolver = {
    jumpOffset: (target, slot) => jumpOffset(labels, target, slot),
    mapFd: (map) => mapFd(options.maps ?? {}, map),
  };
  const bytes = new Uint8Array(slots * SLOT_BYTES);
  const view = new DataView(bytes.buffer);
  let slot = 0;
  for (const insn of insns) {
    encode(view, slot, insn, resolver);
    slot += slotsOf(insn);
  }
  return bytes;
}

/** The number of instruction slots that a program takes: wide instructions count as two, labels as none. */
export function slotCount(program: Program): number {
  return layOut(flatten(program, [])).slots;
}

function flatten(program: Program, into: Insn[]): Insn[] {
  for (const item of program) {
    if ('kind' in item) into.push(item);
    else flatten(item, into);
  }
  return into;
}

/** The slot that each label names, and the number of slots. */
function layOut(insns: readonly Insn[]): { labels: Map<string, number>; slots: number } {
  const labels = new Map<string, number>();
  let slots = 0;
  for (const insn of insns) {
    if (insn.kind === 'label') {
      const first = labels.get(insn.name);
      if (first !== undefined)
        throw new InsnError('LABEL_DUPLICATE', `label '${insn.name}' is at slot ${first} and again at slot ${slots}`);
      labels.set(insn.name, slots);
    }
    slots += slotsOf(insn);
  }
  return { labels, slots };
}

function jumpOffset(labels: ReadonlyMap<string, number>, target: string | number, slot: number): number {
  const label = typeof target === 'number' ? undefined : labels.get(target);
  if (typeof target === 'string' && label === undefined)
    throw new InsnError(
      'LABEL_UNKNOWN',
      `the jump at slot ${slot} goes to label '${target}', which is not in the program; its labels: ${list(labels.keys())}`,
    );
  // A target is counted from the instruction after the jump.
  const off = label === undefined ? Number(target) : label - (slot + 1);
  if (Number.isInteger(off) && off >= -0x8000 && off <= 0x7fff) return off;
  throw new InsnError(
    'JUMP_RANGE',
    `the jump at slot ${slot} goes ${off} slots; it can go an integer in -32768..32767`,
  );
}

function mapFd(maps: Readonly<Record<string, number>>, map: string | number): number {
  if (typeof map === 'number') return map;
  const fd = Object.hasOwn(maps, map) ? maps[map] : undefined;
  if (fd !== undefined) return fd;
  throw new InsnError(
    'MAP_UNKNOWN',
    `the program uses map '${map}', which was not given; given: ${list(Object.keys(maps))}`,
  );
}

function list(names: Iterable<string>): string {
  return [...names].map((name) => `'${name}'`).join(', ') || 'none';
}
