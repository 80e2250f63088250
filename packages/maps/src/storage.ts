import { type HasFd, type MapFd, mapDeleteElem, mapLookupElem, mapUpdateElem } from '@bpf/sys';
import { BpfMap } from './bpf-map.ts';
import { type Codec, put, take } from './codec.ts';
import { Handle } from './fd-map.ts';
import { flagBits, type UpdateFlag } from './hash-map.ts';

/**
 * Values that belong to sockets (sk_storage), inodes (inode_storage), tasks (task_storage) or cgroups (cgrp_storage), and go
 * with them. User space names the owner by a descriptor: of the socket, of the file, a pidfd, of the cgroup's directory.
 */
export class StorageMap<Value = Uint8Array, ValueInput = Value> extends BpfMap {
  readonly #owner: Handle = new Handle(4);
  readonly #value: Codec<Value, ValueInput>;

  /** @internal */
  constructor(map: MapFd, value: Codec<Value, ValueInput>) {
    super(map);
    this.#value = value;
  }

  /** The value of an owner, or undefined. @throws SysError 'EBADF' for a descriptor of another kind */
  get(owner: HasFd): Value | undefined {
    return mapLookupElem(this.map, this.#owner.put(owner), this.map.elem.value.bytes)
      ? take(this.#value, this.map)
      : undefined;
  }

  /** @returns false when `noexist` found a value, or `exist` did not */
  set(owner: HasFd, value: ValueInput, ...flags: readonly UpdateFlag[]): boolean {
    const early = this.#value.plain ? undefined : put(this.#value, this.map, 'value', value);
    const key = this.#owner.put(owner);
    return mapUpdateElem(this.map, key, early ?? put(this.#value, this.map, 'value', value), flagBits(flags));
  }

  /** @returns false when there was none */
  delete(owner: HasFd): boolean {
    return mapDeleteElem(this.map, this.#owner.put(owner));
  }
}
