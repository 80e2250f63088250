import { type BtfAccess, follow } from './access.ts';
import { BtfError } from './error.ts';
import { type BtfFunction, functionOf } from './func.ts';
import { alignOf, resolve, sizeOf } from './layout.ts';
import { type BtfKind, kindNumber, kinds, readHeader } from './raw.ts';
import { openStore, type Store, typeOf } from './store.ts';
import { type BtfIterTarget, iterTargetsOf } from './targets.ts';
import type { BtfType, BtfTypeOf } from './types.ts';

/** A member that lies within a struct, found by its path. */
export interface BtfPlace {
  /** Bytes from the start of the struct that was asked. */
  readonly offset: number;
  /** Bytes that the member occupies. */
  readonly size: number;
  /** The member's declared type. */
  readonly typeId: number;
}

/** Types of a kernel, a module or an object. Ids count from 1; 0 is void. */
export interface Btf {
  /** The number of types, those of the base included: ids are 1..count. Scans everything. */
  readonly count: number;

  /**
   * The id of the first type of this kind with this name, or undefined. A name may be that of several types, even of one
   * kind: {@link all} finds the others.
   *
   * @throws BtfError `CORRUPT`
   */
  find(kind: BtfKind, name: string): number | undefined;

  /** Every type of this kind, in the order of ids. @throws BtfError `CORRUPT` */
  all<Kind extends BtfKind>(kind: Kind): Generator<BtfTypeOf<Kind>>;

  /** The type with this id. @throws BtfError `NOT_FOUND`, `CORRUPT` */
  type(id: number): BtfType;

  /** The id of the type behind typedefs, qualifiers and type tags. @throws BtfError `NOT_FOUND`, `CORRUPT` */
  resolve(id: number): number;

  /**
   * The bytes that a value of this type occupies, through typedefs, qualifiers and arrays. A pointer is 8 bytes.
   *
   * @throws BtfError `NOT_FOUND`, `NO_SIZE` for a function or void, `CORRUPT`
   */
  sizeOf(id: number): number;

  /** The bytes that a value of this type is aligned to. @throws BtfError as {@link sizeOf} */
  alignOf(id: number): number;

  /**
   * The way to a member, by its path: through embedded structs (`'se.vruntime'`), anonymous ones (by their members' names
   * alone, as in C), arrays (`'comm[3]'`) and pointers (`'mm.start_code'`), each of which is to be loaded on the way.
   *
   * @throws BtfError `NOT_FOUND`, `NOT_A_STRUCT`, `SYNTAX`, `CORRUPT`
   * @example
   * ```ts
   * btf.access('task_struct', 'real_parent.tgid'); // { pointers: [1280], offset: 1268, size: 4, typeId: 68 }
   * ```
   */
  access(struct: string | number, path: string): BtfAccess;

  /**
   * A member that lies within the struct: {@link access} for a path without pointers and bitfields.
   *
   * @throws BtfError as {@link access}, and `CROSSES_POINTER`, `BITFIELD`
   * @example
   * ```ts
   * const { offset, size } = btf.member('task_struct', 'comm');
   * ```
   */
  member(struct: string | number, path: string): BtfPlace;

  /** Whether {@link member} would find it: for fields that kernels of another age name otherwise. */
  hasMember(struct: string | number, path: string): boolean;

  /**
   * A function's arguments and result, with the slots of the context array in which tracing programs find them.
   *
   * @throws BtfError `NOT_FOUND`, `NOT_A_FUNCTION`, `CORRUPT`
   * @example
   * ```ts
   * btf.func('vfs_read').params.map(({ name, slot }) => [name, slot]); // file 0, buf 1, count 2, pos 3
   * ```
   */
  func(func: string | number): BtfFunction;

  /**
   * The declaration tags on a type (`componentIndex` -1) and on its members or parameters.
   *
   * @throws BtfError `CORRUPT`
   */
  tags(id: number): BtfTypeOf<'decl_tag'>[];

  /**
   * What BPF iterators of this kernel can go through, with the fields of their contexts.
   *
   * @throws BtfError `CORRUPT`
   * @example
   * ```ts
   * btf.iterTargets().map(({ name }) => name); // ['bpf_map', 'task', 'task_file', ...]
   * ```
   */
  iterTargets(): BtfIterTarget[];
}

const stores = new WeakMap<Btf, Store>();

/** The bytes behind, for the rest of this package. */
export const storeOf = (btf: Btf): Store => stores.get(btf) as Store;

/**
 * Opens BTF: raw, as in `/sys/kernel/btf/vmlinux`, of either endianness. Only the header is read; types are scanned
 * as far as a question needs, and never turned into objects unless asked for. The bytes are kept, not copied.
 *
 * Split BTF, that of a module in `/sys/kernel/btf`, goes on from its `base`, the kernel's: opening it scans the base once.
 *
 * @throws BtfError `CORRUPT` for bytes that are not BTF
 * @example
 * ```ts
 * const btf = parseBtf(readFileSync('/sys/kernel/btf/vmlinux'));
 * btf.find('func', 'bpf_iter_task');       // an id for attach_btf_id
 * btf.member('task_struct', 'pid').offset; // for a load
 * const veth = parseBtf(readFileSync('/sys/kernel/btf/veth'), { base: btf });
 * ```
 */
export function parseBtf(bytes: Uint8Array, options: { readonly base?: Btf } = {}): Btf {
  const base = options.base && stores.get(options.base);
  const store = openStore(readHeader(bytes, base?.raw, base ? base.count() + 1 : 1), base);

  const structId = (struct: string | number): number => {
    const id = typeof struct === 'number' ? struct : (store.find('struct', struct) ?? store.find('union', struct));
    if (id !== undefined) return id;
    throw new BtfError('NOT_FOUND', `there is no struct or union '${struct}' in this BTF`);
  };
  const btf: Btf = {
    get count() {
      return store.count();
    },
    find: store.find,
    all: (kind) => allOf(store, kind),
    type: (id) => typeOf(store, id),
    resolve: (id) => resolve(store, id),
    sizeOf: (id) => sizeOf(store, id),
    alignOf: (id) => alignOf(store, id),
    access: (struct, path) => follow(store, structId(struct), path),
    member(struct, path) {
      const { pointers, bitfield, ...place } = btf.access(struct, path);
      if (pointers.length > 0)
        throw new BtfError(
          'CROSSES_POINTER',
          `'${path}' of '${struct}' crosses a pointer, which is to be loaded on the way: ask for its access`,
        );
      if (bitfield)
        throw new BtfError(
          'BITFIELD',
          `'${path}' of '${struct}' is a bitfield of ${bitfield.size} bits and has no byte offset: ask for its access`,
        );
      return place;
    },
    hasMember(struct, path) {
      try {
        btf.member(struct, path);
        return true;
      } catch (error) {
        if (error instanceof BtfError && error.code === 'NOT_FOUND') return false;
        throw error;
      }
    },
    func(func) {
      const id = typeof func === 'number' ? func : store.find('func', func);
      if (id === undefined) throw new BtfError('NOT_FOUND', `there is no function '${func}' in this BTF`);
      return functionOf(store, id);
    },
    tags: (id) => [...allOf(store, 'decl_tag')].filter(({ typeId }) => typeId === id),
    iterTargets: () => iterTargetsOf(store, allOf(store, 'func')),
  };
  stores.set(btf, store);
  return btf;
}

function* allOf<Kind extends BtfKind>(store: Store, kind: Kind): Generator<BtfTypeOf<Kind>> {
  const wanted = kinds.indexOf(kind);
  for (let id = 1; ; id++) {
    const place = store.place(id);
    if (!place) return;
    const { view, littleEndian } = place.raw;
    if (kindNumber(view.getUint32(place.at + 4, littleEndian)) === wanted) yield typeOf(store, id) as BtfTypeOf<Kind>;
  }
}
