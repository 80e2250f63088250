// Maps that XDP programs redirect packets by.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { u32 } from '@bpf/btf/data';
import { atomicAdd, call, exit, ldMapFd, ldMapValue, mov } from '@bpf/insn';
import { type Fd, type HasFd, progGetInfo, withScope } from '@bpf/sys';
import { ifIndex, xdpAttach, xdpDetach } from '@bpf/sys/netlink';
import { mapType } from '../../../tooling/kernel-test/features.ts';
import { kernelTest } from '../../../tooling/kernel-test/harness.ts';
import { addVeth, inNetns, interfaceUp, Wire } from '../../../tooling/kernel-test/netns.ts';
import { AF_INET, DGRAM, RAW, Socket } from '../../../tooling/kernel-test/sockets.ts';
import { createMap } from '../src/index.ts';
import { getOption, load, setOption } from './programs.ts';

const REDIRECT_MAP = 51;
const XDP_DROP = 1;
const XDP_PASS = 2;

/** An XDP program that redirects all to one entry of a map; without that, the packet is dropped. */
const redirecting = (map: HasFd, key: number): Fd =>
  load('xdp', [ldMapFd('r1', 'map'), mov('r2', key), mov('r3', XDP_DROP), call(REDIRECT_MAP), exit()], { map });

/** Packets that have come in at an interface, as the kernel counts. */
function received(name: string): number {
  const [, , packets] =
    readFileSync('/proc/thread-self/net/dev', 'utf8').match(new RegExp(`^ *${name}: *(\\d+) +(\\d+)`, 'm')) ??
    assert.fail(name);
  return Number(packets);
}

/** What comes to the end of the wire is to go out by out0, and come in at out1. */
function assertForwards(wire: Wire, prog: HasFd, remove: () => void): void {
  xdpAttach({ ifindex: wire.to, prog, mode: 'skb' });
  const before = received('out1');
  const end = Date.now() + 5_000;
  // The kernel takes a moment to see that the second wire is plugged in.
  do {
    wire.send();
    // The other interface is of this host too, which takes what is for it.
    wire.arrives();
  } while (received('out1') === before && Date.now() < end);
  const after = received('out1');
  assert.ok(after > before, 'nothing was redirected');
  remove();
  wire.send();
  assert.equal(wire.arrives(), false);
  assert.equal(received('out1'), after);
  xdpDetach({ ifindex: wire.to });
}

kernelTest(
  mapType('devmap', () => createMap({ type: 'devmap', maxEntries: 2 })),
  'what a program redirects goes out by the interface of the map',
  () => {
    inNetns(() => {
      using wire = new Wire();
      addVeth('out0', 'out1');
      for (const name of ['out0', 'out1']) interfaceUp(name);
      using map = createMap({ type: 'devmap', maxEntries: 2 });
      const target = ifIndex('out0');
      assert.equal(map.get(1), undefined);
      map.set(1, target);
      assert.deepEqual(map.get(1), { target, progId: undefined });
      using prog = redirecting(map, 1);
      assertForwards(wire, prog, () => map.delete(1));
      assert.equal(map.get(1), undefined);
      map.delete(1);
      // A program of its own is held, and told by its id.
      using roomy = createMap({ type: 'devmap', valueSize: 8, maxEntries: 1 });
      using counted = load('xdp', [mov('r0', XDP_PASS), exit()], {}, { expectedAttachType: 'xdp_devmap' });
      roomy.set(0, target, counted);
      assert.deepEqual(roomy.get(0), { target, progId: progGetInfo(counted).id });
      assert.throws(() => map.set(0, target, counted), { name: 'RangeError', message: /make it with valueSize 8$/ });
      map.set(0, target);
      assert.throws(() => map.set(0, 0x7fff_ffff), { code: 'EINVAL' });
      for (const bad of [-1, 0.5, Number.NaN, 2 ** 32])
        assert.throws(() => map.set(0, bad), { name: 'RangeError', message: /^the target is / });
      assert.throws(() => map.set(2, target), { name: 'RangeError' });
      assert.deepEqual(map.get(0)?.target, target);
    });
  },
);

kernelTest(
  mapType('devmap_hash', () => createMap({ type: 'devmap_hash', key: u32, maxEntries: 2 })),
  'what a program redirects goes out by the interface of the map',
  () => {
    inNetns(() => {
      using wire = new Wire();
      addVeth('out0', 'out1');
      for (const name of ['out0', 'out1']) interfaceUp(name);
      using map = createMap({ type: 'devmap_hash', key: u32, maxEntries: 2 });
      const target = ifIndex('out0');
      map.set(70_000, target);
      map.set(5, wire.from);
      assert.deepEqual(map.get(70_000), { target, progId: undefined });
      assert.deepEqual([...map.keys()].sort(), [5, 70_000]);
      assert.throws(() => map.set(6, target), { code: 'E2BIG' });
      using prog = redirecting(map, 70_000);
      assertForwards(wire, prog, () => assert.equal(map.delete(70_000), true));
      assert.equal(map.delete(70_000), false);
      assert.equal(map.get(70_000), undefined);
    });
  },
);

kernelTest(
  mapType('cpumap', () => createMap({ type: 'cpumap', maxEntries: 1 })),
  'packets go on, on another CPU, after the program of the map',
  () => {
    inNetns(() => {
      using wire = new Wire();
      using map = createMap({ type: 'cpumap', valueSize: 8, maxEntries: 1 });
      assert.equal(map.get(0), undefined);
      map.set(0, 64);
      assert.deepEqual(map.get(0), { target: 64, progId: undefined });
      using prog = redirecting(map, 0);
      // In the driver's mode: in the other one, kernels before 5.15 do not redirect to CPUs.
      xdpAttach({ ifindex: wire.to, prog, mode: 'drv' });
      const arrives = (): boolean => {
        wire.send();
        return wire.arrives();
      };
      assert.equal(arrives(), true);
      using counts = createMap({ type: 'array', value: u32, maxEntries: 1 });
      using drop = load(
        'xdp',
        [ldMapValue('r1', 'counts', 0), mov('r2', 1), atomicAdd('w', 'r1', 'r2', 0), mov('r0', XDP_DROP), exit()],
        { counts },
        { expectedAttachType: 'xdp_cpumap' },
      );
      map.set(0, 64, drop);
      assert.deepEqual(map.get(0), { target: 64, progId: progGetInfo(drop).id });
      assert.deepEqual([arrives(), counts.get(0)], [false, 1]);
      map.delete(0);
      assert.equal(map.get(0), undefined);
      assert.deepEqual([arrives(), counts.get(0)], [false, 1]);
      assert.throws(() => map.set(0, 16_385), { code: 'EOVERFLOW' });
      xdpDetach({ ifindex: wire.to });
    });
  },
);

const AF_XDP = 44;
const SOL_XDP = 283;
const [XDP_RX_RING, XDP_UMEM_REG, XDP_UMEM_FILL_RING, XDP_UMEM_COMPLETION_RING, XDP_STATISTICS] = [2, 4, 5, 6, 7];
const PAGE = 4096;
const words = (...numbers: readonly number[]): Uint8Array => new Uint8Array(Uint32Array.from(numbers).buffer);

/** Binds an AF_XDP socket to an interface, with memory that must stay. It gives the kernel no room for packets. */
function bindXdp(socket: Socket, ifindex: number, memory: number): void {
  const XDP_COPY = 2;
  const addressAndLength = new Uint8Array(BigUint64Array.of(BigInt(memory), BigInt(2 * PAGE)).buffer);
  setOption(socket, SOL_XDP, XDP_UMEM_REG, Uint8Array.of(...addressAndLength, ...words(PAGE, 0, 0, 0)));
  for (const ring of [XDP_UMEM_FILL_RING, XDP_UMEM_COMPLETION_RING, XDP_RX_RING])
    setOption(socket, SOL_XDP, ring, words(16));
  socket.bind(Uint8Array.of(AF_XDP, 0, XDP_COPY, 0, ...words(ifindex, 0, 0)));
}

kernelTest(
  mapType('xskmap', () => createMap({ type: 'xskmap', maxEntries: 2 })),
  'what a program redirects comes to the socket of the map',
  () => {
    inNetns(() => {
      using wire = new Wire();
      using map = createMap({ type: 'xskmap', maxEntries: 1 });
      withScope((scope) => {
        // It ends before its memory does.
        using socket = new Socket(AF_XDP, RAW);
        const { address } = scope.alloc(3 * PAGE);
        bindXdp(socket, wire.to, Math.ceil(address / PAGE) * PAGE);
        map.set(0, socket);
        using prog = redirecting(map, 0);
        xdpAttach({ ifindex: wire.to, prog, mode: 'skb' });
        /** Packets that had no room in the socket. */
        const came = (): bigint => {
          const statistics = getOption(socket, SOL_XDP, XDP_STATISTICS, 48);
          return new DataView(statistics.buffer).getBigUint64(0, true); // rx_dropped
        };
        const before = came();
        wire.send();
        assert.equal(wire.arrives(), false);
        assert.equal(came(), before + 1n);
        assert.equal(map.delete(0), true);
        wire.send();
        assert.equal(wire.arrives(), false);
        assert.equal(came(), before + 1n);
        xdpDetach({ ifindex: wire.to });
        using other = new Socket(AF_INET, DGRAM);
        assert.throws(() => map.set(0, other), { name: 'SysError', code: 'EOPNOTSUPP' });
      });
    });
  },
);
