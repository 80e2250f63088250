import { decodeMember } from './decode.ts';
import { BtfError, corrupt } from './error.ts';
import { MAX_DEPTH, placeOf, resolve, resolved, sizeOf, u32 } from './layout.ts';
import { ENTRY_BYTES, kindFlag, nameBytes, stringIs, TYPE_BYTES, vlen } from './raw.ts';
import { type Store, typeOf } from './store.ts';
import type { BtfMember } from './types.ts';

/** The way from a struct to one of its members, however far. */
export interface BtfAccess {
  /** The offsets of the pointers to load on the way, in order, each from what the one before it points to. */
  readonly pointers: readonly number[];
  /** Bytes from the start of the struct, or of what the last pointer points to. */
  readonly offset: number;
  /** Bytes that the member occupies; for a bitfield, those of the smallest integer to load at `offset`. */
  readonly size: number;
  /** The member's declared type. */
  readonly typeId: number;
  /** Which bits of that integer a bitfield is, counted from the lowest on a little-endian machine. */
  readonly bitfield?: { readonly offset: number; readonly size: number };
}

/** A step of a path: a member's name, or an array's index. */
type Step = string | number;

/**
 * Follows a path such as `'mm.start_code'` or `'comm[3]'`.
 *
 * @throws BtfError `NOT_FOUND`, `NOT_A_STRUCT`, `SYNTAX`
 */
export function follow(store: Store, rootId: number, path: string): BtfAccess {
  const pointers: number[] = [];
  let bits = 0;
  let typeId = rootId;
  let walked = typeOf(store, rootId).name;
  let bitfield: BtfMember | undefined;
  for (const step of parsePath(path)) {
    if (bitfield) throw new BtfError('NOT_A_STRUCT', `'${walked}' is a bitfield and has no ${describe(step)}`);
    let type = resolved(store, typeId);
    if (type.kind === 'ptr') {
      pointers.push(bits / 8);
      bits = 0;
      typeId = type.typeId;
      type = resolved(store, typeId);
      if (typeof step === 'number') {
        // As in C, a pointer is indexed like an array.
        bits = step * sizeOf(store, typeId) * 8;
        walked = `${walked}[${step}]`;
        continue;
      }
    }
    if (typeof step === 'number') {
      if (type.kind !== 'array')
        throw new BtfError('NOT_A_STRUCT', `'${walked}' is a ${type.kind} and has no ${describe(step)}`);
      // A flexible array member has the length 0, or 1 where it was written so.
      if (step >= type.length && type.length > 1)
        throw new BtfError('NOT_FOUND', `'${walked}' has ${type.length} elements and no ${describe(step)}`);
      bits += step * sizeOf(store, type.typeId) * 8;
      typeId = type.typeId;
      walked = `${walked}[${step}]`;
      continue;
    }
    if (type.kind !== 'struct' && type.kind !== 'union')
      throw new BtfError('NOT_A_STRUCT', `'${walked}' is a ${type.kind} and has no ${describe(step)}`);
    const found = findMember(store, type.id, nameBytes(step));
    if (!found) throw new BtfError('NOT_FOUND', `'${walked}' has no ${describe(step)}`);
    walked = `${walked}.${step}`;
    bits += found.bitOffset;
    typeId = found.typeId;
    if (found.bitSize > 0) bitfield = found;
  }
  if (!bitfield) return { pointers, offset: bits / 8, size: sizeOf(store, typeId), typeId };
  return { pointers, typeId, ...placeBitfield(bits, bitfield.bitSize) };
}

/**
 * The smallest aligned integer that holds all of a bitfield. The one that C would load, of the declared type's size, may
 * begin in the member before, where the verifier refuses it: the bits of `struct bpf_prog` follow a u16 in Linux 7.2.
 */
function placeBitfield(bit: number, width: number): Pick<BtfAccess, 'offset' | 'size' | 'bitfield'> & object {
  let size = 1;
  let offset = Math.floor(bit / 8);
  while (bit - offset * 8 + width > size * 8 && size < 8) {
    size *= 2;
    offset = Math.floor(bit / (size * 8)) * size;
  }
  return { offset, size, bitfield: { offset: bit - offset * 8, size: width } };
}

function describe(step: Step): string {
  return typeof step === 'number' ? `element [${step}]` : `member '${step}'`;
}

function parsePath(path: string): Step[] {
  const steps: Step[] = [];
  const pattern = /(?:^|\.)([A-Za-z_$][\w$]*)|\[(\d+)\]/gy;
  while (pattern.lastIndex < path.length) {
    const at = pattern.lastIndex;
    const match = pattern.exec(path);
    if (!match)
      throw new BtfError('SYNTAX', `'${path}' is not a path: expected .name or [number] at character ${at + 1}`);
    steps.push(match[1] ?? Number(match[2]));
  }
  if (steps.length === 0) throw new BtfError('SYNTAX', 'a path names at least one member');
  return steps;
}

/** A member of a struct or union by name, also inside its anonymous members, with its place in the whole. */
function findMember(
  store: Store,
  structId: number,
  name: Uint8Array,
  searched: Set<number> = new Set(),
  depth = 0,
): BtfMember | undefined {
  const { raw, at } = placeOf(store, structId);
  const info = u32(raw, at + 4);
  if (depth > MAX_DEPTH) corrupt(at, `the anonymous members of type ${structId} are nested without end`);
  // Anonymous members of a corrupt file may go in circles, or be the same again and again.
  searched.add(structId);
  for (let i = 0; i < vlen(info); i++) {
    const entry = at + TYPE_BYTES + i * ENTRY_BYTES;
    const nameOffset = u32(raw, entry);
    if (nameOffset !== 0) {
      if (stringIs(raw, nameOffset, name)) return decodeMember(raw, entry, kindFlag(info));
      continue;
    }
    const anonymous = decodeMember(raw, entry, kindFlag(info));
    const innerId = resolve(store, anonymous.typeId);
    const kind = innerId === 0 ? 'void' : typeOf(store, innerId).kind;
    if ((kind !== 'struct' && kind !== 'union') || searched.has(innerId)) continue;
    const found = findMember(store, innerId, name, searched, depth + 1);
    if (found) return { ...found, bitOffset: anonymous.bitOffset + found.bitOffset };
  }
  return undefined;
}
