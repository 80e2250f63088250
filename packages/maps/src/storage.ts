import { type HasFd, type MapFd, mapDeleteElem } from '@bpf/sys';
import { BpfMap } from './bpf-map.ts';
import { type Codec, handleCodec, lookup, put, update } from './codec.ts';
import { flagBits, type UpdateFlag } from './hash-map.ts';

const owners: Codec<unknown, HasFd | number> = handleCodec(4);

/**
 * Values that belong to sockets (sk_storage), inodes (inode_storage), tasks (task_storage) or cgroups (cgrp_storage), and go
 * with them. User space names the owner by a descriptor: of the socket, of the file, a pidfd, of the cgroup's directory.
 */
export class StorageMap<Value = Uint8Array, ValueInput = Value> extends BpfMap {
  readonly #value: Codec<Value, ValueInput>;

  /** @internal */
  constructor(map: MapFd, value: Codec<Value, ValueInput>) {
    super(map);
    this.#value = value;
  }

  /** The value of an owner, or undefined. @throws SysError 'EBADF' for a descriptor of another kind */
  get(owner: HasFd): Value | undefined {
    return lookup(this.map, put(owners, this.map, 'key', owner), this.#value);
  }

  /** @returns false when `noexist` found a value, or `exist` did not */
  set(owner: HasFd, value: ValueInput, ...flags: readonly UpdateFlag[]): boolean {
    return update(this.map, owners, owner, this.#value, value, flagBits(flags));
  }

  /** @returns false when there was none */
  delete(owner: HasFd): boolean {
    return mapDeleteElem(this.map, put(owners, this.map, 'key', owner));
  }
}
