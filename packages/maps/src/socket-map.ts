import { u64 } from '@bpf/btf/data';
import { SysError } from '@bpf/sys';
import { type Codec, lookup, schemaCodec } from './codec.ts';
import { FdArray, FdHash } from './fd-map.ts';

/** A map needs values of 8 bytes for it. */
const cookie: Codec<bigint, number | bigint> = schemaCodec(u64);

/**
 * An array of sockets: what sk_skb and sk_msg programs redirect to, and what passes through them (sockmap), or what
 * sk_reuseport programs choose from (reuseport_sockarray). A socket that is closed leaves it.
 */
export class SocketArray extends FdArray {
  /**
   * The cookie of the socket at an index, as SO_COOKIE and programs have it; undefined when there is none.
   *
   * @throws RangeError beyond the end; SysError 'ENOSPC' for a map whose maker gave it values of 4 bytes
   */
  get(index: number): bigint | undefined {
    return lookup(this.map, this.key(index), cookie);
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
  /** The cookie of a key's socket; undefined when there is none. @throws SysError 'ENOSPC' as {@link SocketArray.get} */
  get(key: KeyInput): bigint | undefined {
    return lookup(this.map, this.keyBytes(key), cookie);
  }
}
