import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { pollRingbuf } from '../../../tooling/kernel-test/features.ts';
import { kernelTest } from '../../../tooling/kernel-test/harness.ts';
import {
  type Fd,
  type MapFd,
  mapCreate,
  mmap,
  pageSize,
  pollFd,
  progLoad,
  progTestRun,
  waitReadable,
} from '../src/index.ts';

const makeRing = (): MapFd => mapCreate({ type: 'ringbuf', keySize: 0, valueSize: 0, maxEntries: pageSize() });

/** A program that puts 8 bytes into a ring buffer. */
function loadProducer(ring: MapFd): Fd {
  const fd = Buffer.alloc(4);
  fd.writeUInt32LE(ring.fd);
  const slots = [
    '7a0af8ff2a000000', // *(u64 *)(r10 - 8) = 42
    `18110000${fd.toString('hex')}`, // r1 = map_fd(fd)
    '0000000000000000',
    'bfa2000000000000', // r2 = r10
    '07020000f8ffffff', // r2 += -8
    'b703000008000000', // r3 = 8
    'b704000000000000', // r4 = 0
    '8500000082000000', // call bpf_ringbuf_output
    'b700000000000000', // r0 = 0
    '9500000000000000', // exit
  ];
  return progLoad({ type: 'socket_filter', insns: Buffer.from(slots.join(''), 'hex'), license: 'GPL' });
}

kernelTest(pollRingbuf, 'a record in a ring buffer ends a wait', async () => {
  using ring = makeRing();
  using prog = loadProducer(ring);
  using consumer = mmap({ fd: ring, length: pageSize(), prot: 'read-write' });
  using producer = mmap({ fd: ring, length: pageSize(), offset: pageSize(), prot: 'read' });
  const consumed = new DataView(consumer.bytes.buffer);
  const produced = new DataView(producer.bytes.buffer);
  assert.deepEqual(waitReadable([ring], 1), []);
  for (let records = 1; records <= 3; records++) {
    let ended = false;
    const wait = pollFd(ring).finally(() => {
      ended = true;
    });
    await sleep(5);
    assert.equal(ended, false);
    progTestRun(prog, { data: new Uint8Array(14) });
    assert.equal(await wait, true);
    assert.deepEqual(waitReadable([ring], 1000), [ring.fd]);
    assert.equal(produced.getBigUint64(0, true), BigInt(records * 16)); // a header and 8 bytes
    consumed.setBigUint64(0, produced.getBigUint64(0, true), true);
  }
});

kernelTest(pollRingbuf, 'closing a map ends its wait', async () => {
  const ring = makeRing();
  const wait = pollFd(ring);
  ring.close();
  assert.equal(await wait, false);
});
