import { type MapFd, type MapInfo, mapFreeze, objPin } from '@bpf/sys';

/** Owns a map. Closing it leaves the map alive as long as a program, a pin or another process holds it. */
export class BpfMap implements Disposable {
  /** @internal */
  protected readonly map: MapFd;

  constructor(map: MapFd) {
    this.map = map;
  }

  /** The descriptor's number, for what needs this map. @throws TypeError after close */
  get fd(): number {
    return this.map.fd;
  }

  /** Type, id, name, sizes in bytes and capacity, as the kernel has them. */
  get info(): MapInfo {
    return this.map.info;
  }

  get closed(): boolean {
    return this.map.closed;
  }

  /**
   * Gives the map a path on a bpffs, which keeps it when nothing else holds it: `openMap({ path })` opens it again.
   *
   * @throws SysError 'EEXIST' when the path is taken, 'ENOENT' when its directory is not there, 'EPERM' when it is on
   *   another file system
   */
  pin(path: string): void {
    objPin(path, this.map);
  }

  /** Refuses writes from user space from now on; programs still write. Linux 5.2. */
  freeze(): void {
    mapFreeze(this.map);
  }

  /** Closes the descriptor. A second close does nothing. */
  close(): void {
    this.map.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}
