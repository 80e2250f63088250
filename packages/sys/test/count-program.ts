import { type Fd, type MapFd, mapCreate, mapLookupElem, type ProgType, progLoad } from '../src/index.ts';

/** A map with one counter. */
export function makeCounter(): MapFd {
  return mapCreate({ type: 'array', keySize: 4, valueSize: 8, maxEntries: 1, name: 'counter' });
}

export function readCounter(map: MapFd): number {
  const value = new Uint8Array(8);
  mapLookupElem(map, new Uint8Array(4), value);
  return Number(new DataView(value.buffer).getBigUint64(0, true));
}

/** A program that adds one to the counter each time it runs. */
export function loadCounting(type: ProgType, map: MapFd): Fd {
  const fd = Buffer.alloc(4);
  fd.writeUInt32LE(map.fd);
  const slots = [
    `18210000${fd.toString('hex')}`, // r1 = map_value(fd, 0)
    '0000000000000000',
    'b702000001000000', // r2 = 1
    'db21000000000000', // lock *(u64 *)(r1 + 0) += r2
    'b700000000000000', // r0 = 0
    '9500000000000000', // exit
  ];
  return progLoad({ type, insns: Buffer.from(slots.join(''), 'hex'), license: 'GPL', name: 'count' });
}
