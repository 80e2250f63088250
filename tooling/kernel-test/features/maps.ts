import { capabilityNames, type MapType, mapCreate, readMachine, SysError, UnavailableError } from '@bpf/sys';
import type { Feature } from '../harness.ts';
import { bpfSyscall } from './probe.ts';

/** A map type, tried by making one. */
export function mapType(type: MapType, make: (type: MapType) => { close(): void }): Feature {
  return {
    name: `map/${type}`,
    probe() {
      make(type).close();
      return undefined;
    },
  };
}

/** Something that maps of a type can do on some kernels only, tried by doing it. */
export function mapOperation(type: MapType, operation: string, attempt: () => void): Feature {
  return {
    name: `map/${type}/${operation}`,
    probe() {
      try {
        attempt();
        return undefined;
      } catch (error) {
        if (error instanceof UnavailableError || !(error instanceof SysError)) throw error;
        if (!['EINVAL', 'ENOTSUPP', 'EOPNOTSUPP', 'EBADF'].includes(error.code)) throw error;
        return `this kernel has no ${operation} for maps of type ${type} (${error.code})`;
      }
    },
  };
}

export const hashMap: Feature = { ...bpfSyscall, name: 'map/hash' };
export const arrayMap: Feature = { ...bpfSyscall, name: 'map/array' };

/** Mapping an array map into this process. */
export const mapMmap: Feature = {
  name: 'map/mmap',
  probe() {
    mapCreate({ type: 'array', keySize: 4, valueSize: 8, maxEntries: 1, flags: ['mmapable'] }).close();
    return undefined;
  },
};

/** Waiting for a ring buffer. */
export const pollRingbuf: Feature = {
  name: 'poll/ringbuf',
  probe() {
    mapCreate({ type: 'ringbuf', keySize: 0, valueSize: 0, maxEntries: 65_536 }).close();
    return undefined;
  },
};

/** The limit of locked memory, which Linux before 5.11 counts maps against. */
export const memlock: Feature = {
  name: 'rlimit/memlock',
  probe: () =>
    bpfSyscall.probe() ??
    (capabilityNames(readMachine().capabilities).includes('CAP_SYS_RESOURCE')
      ? undefined
      : 'this process may not raise limits: it has no CAP_SYS_RESOURCE'),
};
