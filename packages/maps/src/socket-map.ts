import { mapLookupElem, SysError } from '@bpf/sys';
import { FdArray, FdHash } from './fd-map.ts';

/** Reads the cookie of a socket, for which a map needs values of 8 bytes. */
class Cookie {
  readonly bytes: Uint8Array;
  readonly #view: DataView;

  constructor(size: number) {
    this.bytes = new Uint8Array(size);
    this.#view = new DataView(this.bytes.buffer);
  }

  get(): bigint {
    return this.#view.getBigUint64(0, true);
  }
}

/**
 * An array of sockets: what sk_skb and sk_msg programs redirect to, and what passes through them (sockmap), or what
 * sk_reuseport programs choose from (reuseport_sockarray). A socket that is closed leaves it.
 */
export class SocketArray extends FdArray {
  readonly #cookie: Cookie = new Cookie(this.info.valueSize);

  /**
   * The cookie of the socket at an index, as SO_COOKIE and programs have it; undefined when there is none.
   *
   * @throws RangeError beyond the end; SysError 'ENOSPC' for a map whose maker gave it values of 4 bytes
   */
  get(index: number): bigint | undefined {
    return mapLookupElem(this.map, this.key(index), this.#cookie.bytes) ? this.#cookie.get() : undefined;
  }

  override delete(index: number): boolean {
    try {
      return super.delete(index);
    } catch (error) {
      // Of an empty place of a sockmap the kernel says EINVAL.
      if (error instanceof SysError && error.code === 'EINVAL') return false;
      throw error;
    }
  }
}

/** As {@link SocketArray}, by key (sockhash). */
export class SocketHash<Key = Uint8Array, KeyInput = Key> extends FdHash<Key, KeyInput> {
  readonly #cookie: Cookie = new Cookie(this.info.valueSize);

  /** The cookie of a key's socket; undefined when there is none. @throws SysError 'ENOSPC' as {@link SocketArray.get} */
  get(key: KeyInput): bigint | undefined {
    return mapLookupElem(this.map, this.keyBytes(key), this.#cookie.bytes) ? this.#cookie.get() : undefined;
  }
}
