import { BtfError, corrupt } from './error.ts';
import {
  type BtfKind,
  kindFlag,
  kindNumber,
  kinds,
  MEMBER_BYTES,
  nextType,
  type RawBtf,
  readHeader,
  readString,
  stringIs,
  TYPE_BYTES,
  vlen,
} from './raw.ts';

/** A type as its BTF record says it. */
export interface BtfType {
  readonly id: number;
  readonly kind: BtfKind;
  /** Empty for an anonymous type. */
  readonly name: string;
  /** The type that a pointer, typedef, qualifier, array, func or var refers to. */
  readonly typeId?: number;
  /** Bytes, of the kinds that record their size. */
  readonly size?: number;
}

/** A member of a struct or union, found by its path. */
export interface BtfMember {
  /** Bytes from the start of the struct that was asked. */
  readonly offset: number;
  /** Bytes that the member occupies. */
  readonly size: number;
  /** The member's declared type. */
  readonly typeId: number;
}

/** Types of a kernel or of an object. Ids count from 1; 0 is void. */
export interface Btf {
  /**
   * The id of the first type of this kind with this name, or undefined.
   *
   * @throws BtfError `CORRUPT`
   */
  find(kind: BtfKind, name: string): number | undefined;

  /**
   * The type with this id.
   *
   * @throws BtfError `NOT_FOUND`, `CORRUPT`
   */
  type(id: number): BtfType;

  /**
   * The bytes that a value of this type occupies, through typedefs, qualifiers and arrays. A pointer is 8 bytes.
   *
   * @throws BtfError `NOT_FOUND`, `NOT_A_STRUCT` for a type without a size, `CORRUPT`
   */
  sizeOf(id: number): number;

  /**
   * A member of a struct, or of a union, by its path: `'pid'`, or `'se.vruntime'` through embedded structs. Members
   * of anonymous structs and unions are found as in C, by their name alone. A path cannot cross a pointer, because
   * the offset is then one of another object: load the pointer first.
   *
   * @throws BtfError `NOT_FOUND`, `NOT_A_STRUCT`, `CROSSES_POINTER`, `BITFIELD`, `CORRUPT`
   * @example
   * ```ts
   * const { offset, size } = btf.member('task_struct', 'comm');
   * ```
   */
  member(struct: string | number, path: string): BtfMember;

  /** Whether {@link member} would find it: for fields that kernels of another age name otherwise. */
  hasMember(struct: string | number, path: string): boolean;
}

/** Types that stand for another without changing what it occupies. */
const transparent: ReadonlySet<BtfKind> = new Set(['typedef', 'volatile', 'const', 'restrict', 'type_tag']);
const sized: ReadonlySet<BtfKind> = new Set(['int', 'struct', 'union', 'enum', 'datasec', 'float', 'enum64']);
/** Longest chain of typedefs, arrays and anonymous members that is followed: a corrupt file may hold a circle. */
const MAX_DEPTH = 32;
const POINTER_BYTES = 8;

/**
 * Opens BTF: raw, as in `/sys/kernel/btf/vmlinux`, of either endianness. Only the header is read; types are scanned
 * as far as a question needs, and never turned into objects unless asked for. The bytes are kept, not copied.
 *
 * @throws BtfError `CORRUPT` for bytes that are not BTF
 * @example
 * ```ts
 * const btf = parseBtf(readFileSync('/sys/kernel/btf/vmlinux'));
 * btf.find('func', 'bpf_iter_task');       // an id for attach_btf_id
 * btf.member('task_struct', 'pid').offset; // for a load
 * ```
 */
export function parseBtf(bytes: Uint8Array): Btf {
  const raw = readHeader(bytes);
  const start = typeIndex(raw);
  const { view, littleEndian } = raw;
  const u32 = (at: number): number => view.getUint32(at, littleEndian);

  function find(kind: BtfKind, name: string): number | undefined {
    const wanted = kinds.indexOf(kind);
    const wantedName = Uint8Array.from(name, (char) => char.charCodeAt(0));
    for (let id = 1; ; id++) {
      const at = start(id);
      if (at === undefined) return undefined;
      if (kindNumber(u32(at + 4)) === wanted && stringIs(raw, u32(at), wantedName)) return id;
    }
  }

  function startOf(id: number): number {
    const at = Number.isInteger(id) && id > 0 ? start(id) : undefined;
    if (at !== undefined) return at;
    throw new BtfError('NOT_FOUND', `there is no type with id ${id}`);
  }

  function type(id: number): BtfType {
    if (id === 0) return { id, kind: 'void', name: '' };
    const at = startOf(id);
    const kind = kinds[kindNumber(u32(at + 4))] ?? 'void';
    const name = readString(raw, u32(at));
    if (kind === 'array') return { id, kind, name, typeId: u32(at + TYPE_BYTES) };
    if (sized.has(kind)) return { id, kind, name, size: u32(at + 8) };
    return kind === 'fwd' ? { id, kind, name } : { id, kind, name, typeId: u32(at + 8) };
  }

  /** The id of the type behind typedefs and qualifiers. */
  function resolve(id: number): number {
    let current = id;
    for (let depth = 0; depth < MAX_DEPTH; depth++) {
      const { kind, typeId } = type(current);
      if (!transparent.has(kind) || typeId === undefined) return current;
      current = typeId;
    }
    return corrupt(startOf(id), `the typedefs behind type ${id} do not end`);
  }

  function sizeOf(id: number, depth = 0): number {
    const resolved = type(resolve(id));
    if (resolved.size !== undefined) return resolved.size;
    if (resolved.kind === 'ptr') return POINTER_BYTES;
    if (resolved.kind === 'array' && resolved.typeId !== undefined) {
      const at = startOf(resolved.id);
      if (depth >= MAX_DEPTH) corrupt(at, `the array type ${id} is nested without end`);
      return sizeOf(resolved.typeId, depth + 1) * u32(at + TYPE_BYTES + 8);
    }
    throw new BtfError('NOT_A_STRUCT', `type ${id}, a ${resolved.kind}, has no size`);
  }

  /** A member by its own name, and through anonymous members: its place in bits, or undefined. */
  function ownMember(structId: number, name: string, depth = 0): FoundMember | undefined {
    const at = startOf(structId);
    const info = u32(at + 4);
    if (depth >= MAX_DEPTH) corrupt(at, `the anonymous members of type ${structId} are nested without end`);
    for (let i = 0; i < vlen(info); i++) {
      const member = at + TYPE_BYTES + i * MEMBER_BYTES;
      const memberName = readString(raw, u32(member));
      const typeId = u32(member + 4);
      const place = u32(member + 8);
      // With kind_flag set, the upper 8 bits are the size of a bitfield, or 0.
      const bit = kindFlag(info) ? place & 0xff_ffff : place;
      const bitfield = kindFlag(info) ? place >>> 24 : 0;
      if (memberName === name) return { bit, bitfield, typeId };
      if (memberName !== '') continue;
      const inner = type(resolve(typeId));
      if (inner.kind !== 'struct' && inner.kind !== 'union') continue;
      const found = ownMember(inner.id, name, depth + 1);
      if (found) return { ...found, bit: bit + found.bit };
    }
    return undefined;
  }

  function member(struct: string | number, path: string): BtfMember {
    const rootId = typeof struct === 'number' ? struct : (find('struct', struct) ?? find('union', struct));
    if (rootId === undefined) throw new BtfError('NOT_FOUND', `there is no struct or union '${struct}' in this BTF`);
    let bits = 0;
    let typeId = rootId;
    let walked = type(rootId).name;
    for (const name of path.split('.')) {
      const { id, kind } = type(resolve(typeId));
      if (kind === 'ptr')
        throw new BtfError(
          'CROSSES_POINTER',
          `'${walked}' is a pointer: load it, then ask for '${name}' of what it points to`,
        );
      if (kind !== 'struct' && kind !== 'union')
        throw new BtfError('NOT_A_STRUCT', `'${walked}' is a ${kind} and has no member '${name}'`);
      const found = ownMember(id, name);
      if (!found) throw new BtfError('NOT_FOUND', `'${walked}' has no member '${name}'`);
      walked = `${walked}.${name}`;
      if (found.bitfield > 0)
        throw new BtfError('BITFIELD', `'${walked}' is a bitfield of ${found.bitfield} bits and has no byte offset`);
      bits += found.bit;
      typeId = found.typeId;
    }
    return { offset: bits / 8, size: sizeOf(typeId), typeId };
  }

  function hasMember(struct: string | number, path: string): boolean {
    try {
      member(struct, path);
      return true;
    } catch (error) {
      if (error instanceof BtfError && error.code === 'NOT_FOUND') return false;
      throw error;
    }
  }

  return { find, type, sizeOf: (id) => sizeOf(id), member, hasMember };
}

interface FoundMember {
  readonly bit: number;
  readonly bitfield: number;
  readonly typeId: number;
}

/** Where each type starts, learnt no further than asked: undefined when there are not so many types. */
function typeIndex(raw: RawBtf): (id: number) => number | undefined {
  let starts = new Uint32Array(1024);
  let known = 1; // id 0, void, has no record
  let next = raw.typesStart;
  return (id) => {
    while (known <= id) {
      if (next >= raw.typesEnd) return undefined;
      if (known === starts.length) {
        const larger = new Uint32Array(known * 2);
        larger.set(starts);
        starts = larger;
      }
      starts[known++] = next;
      next = nextType(raw, next);
    }
    return starts[id];
  };
}
