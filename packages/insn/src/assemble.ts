import { encode, SLOT_BYTES, slotsOf, type Writer } from './encode.ts';
import { InsnError } from './error.ts';
import type { GotoInsn, Insn, LabelInsn, Program, Target } from './insn.ts';
import { fits16 } from './range.ts';

export interface AssembleOptions {
  /** The file descriptor of each map that `ldMapFd` and `ldMapValue` name. */
  readonly maps?: Readonly<Record<string, number>>;
  /** The kernel's byte order; 'little' unless said otherwise. */
  readonly endian?: 'little' | 'big';
  /**
   * What the kernel's processor understands, in LLVM's words. With 'v4' (Linux 6.6) jumps to labels that are too far for
   * a 16-bit offset become `gotol`; with 'v3', the default, they are an error.
   */
  readonly cpu?: 'v3' | 'v4';
}

/**
 * Encodes a program: nested arrays are flattened, labels become offsets, named maps become file descriptors.
 *
 * @throws InsnError `LABEL_UNKNOWN`, `LABEL_DUPLICATE`, `JUMP_RANGE`, `MAP_UNKNOWN`, `UNKNOWN_NAME`
 * @example
 * ```ts
 * const bytes = assemble([mov('r0', 0), jeq('r1', 0, 'out'), mov('r0', 1), label('out'), exit()]);
 * ```
 */
export function assemble(program: Program, options: AssembleOptions = {}): Uint8Array {
  // Most programs are flat already, and need no copy.
  let insns = program.some(Array.isArray) ? flatten(program) : (program as readonly Insn[]);
  let { labels, slots } = layOut(insns);
  // Only a program of that size can have a jump that is too long. What gets longer may push others out of reach.
  for (let before = 0; options.cpu === 'v4' && slots > 0x7fff && slots !== before; ) {
    before = slots;
    insns = lengthenJumps(insns, labels);
    ({ labels, slots } = layOut(insns));
  }
  const bytes = new Uint8Array(slots * SLOT_BYTES);
  const writer: Writer = {
    view: new DataView(bytes.buffer),
    littleEndian: options.endian !== 'big',
    distance: (target, slot) => distance(labels, target, slot),
    mapFd: (map) => mapFd(options.maps ?? {}, map),
  };
  let slot = 0;
  for (const insn of insns) slot = encode(writer, slot, insn);
  return bytes;
}

/** The number of instruction slots that a program takes: wide instructions count as two, labels as none. */
export function slotCount(program: Program): number {
  return layOut(flatten(program)).slots;
}

/** The instructions of a program in order, without its nesting. */
export function flatten(program: Program, into: Insn[] = []): Insn[] {
  for (const item of program) {
    if (Array.isArray(item)) flatten(item, into);
    else into.push(item as Insn);
  }
  return into;
}

/** The slot that each label names, and the number of slots. */
export function layOut(insns: readonly Insn[]): { labels: Map<string, number>; slots: number } {
  const labels = new Map<string, number>();
  let slots = 0;
  for (const insn of insns) {
    const size = slotsOf(insn);
    if (size === 0) {
      const { name } = insn as LabelInsn;
      const first = labels.get(name);
      if (first !== undefined)
        throw new InsnError('LABEL_DUPLICATE', `label '${name}' is at slot ${first} and again at slot ${slots}`);
      labels.set(name, slots);
    }
    slots += size;
  }
  return { labels, slots };
}

/** Replaces jumps to labels that are out of reach. */
function lengthenJumps(insns: readonly Insn[], labels: ReadonlyMap<string, number>): Insn[] {
  let next = 0;
  return insns.flatMap((insn) => {
    const slot = next;
    next += slotsOf(insn);
    if ((insn.kind !== 'jump' && insn.kind !== 'goto') || insn.op === 'gotol') return insn;
    const { target } = insn;
    if (typeof target === 'number' || fits16(distance(labels, target, slot))) return insn;
    const far = { ...insn, kind: 'goto', op: 'gotol' } as GotoInsn;
    // if c goto +1; goto +1; gotol far: not every condition has an opposite.
    return insn.op === 'ja' ? far : [{ ...insn, target: 1 }, { kind: 'goto', op: 'ja', target: 1 }, far];
  });
}

export function distance(labels: ReadonlyMap<string, number>, target: Target, slot: number): number {
  if (typeof target === 'string') {
    const to = labels.get(target);
    if (to !== undefined) return to - (slot + 1);
    throw new InsnError(
      'LABEL_UNKNOWN',
      `slot ${slot} goes to label '${target}', which is not in the program; its labels: ${list(labels.keys())}`,
    );
  }
  if (target === (target | 0)) return target;
  throw new InsnError('JUMP_RANGE', `slot ${slot} goes ${target} slots, which is not an integer of 32 bits`);
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
