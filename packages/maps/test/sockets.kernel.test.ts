// Maps of sockets, and what programs do with the sockets in them.
import assert from 'node:assert/strict';
import { closeSync } from 'node:fs';
import { u32, u64 } from '@bpf/btf/data';
import { add, call, exit, jeq, label, ldMapFd, ldMapValue, ldx, mov, st, stx } from '@bpf/insn';
import { linkCreate, progAttach, progDetach } from '@bpf/sys';
import { withCgroup } from '../../../tooling/kernel-test/cgroup.ts';
import { mapType } from '../../../tooling/kernel-test/features.ts';
import { kernelTest } from '../../../tooling/kernel-test/harness.ts';
import { inNetns, loopbackUp } from '../../../tooling/kernel-test/netns.ts';
import { AF_INET, DGRAM, loopback, receive, Socket, STREAM } from '../../../tooling/kernel-test/sockets.ts';
import { createMap } from '../src/index.ts';
import { load, setOption } from './programs.ts';

const MSG_REDIRECT_MAP = 60;
const MSG_REDIRECT_HASH = 71;
const SK_SELECT_REUSEPORT = 82;
const SK_STORAGE_GET = 107;
const BPF_F_INGRESS = 1;
const PORT = 4000;

/** What is sent by the first socket of the map, is received by the second one, though they are not connected. */
function assertRedirects(
  map: { readonly fd: number },
  redirect: number,
  put: (sockets: readonly Socket[]) => void,
): void {
  loopbackUp();
  using server = new Socket(AF_INET, STREAM).bind(loopback(AF_INET, PORT)).listen();
  using first = new Socket(AF_INET, STREAM).connect(loopback(AF_INET, PORT));
  using second = new Socket(AF_INET, STREAM).connect(loopback(AF_INET, PORT));
  using third = new Socket(AF_INET, STREAM).connect(loopback(AF_INET, PORT));
  const accepted = [server.accept(), server.accept(), server.accept()];
  using verdict = load(
    'sk_msg',
    [
      mov('r6', 'r1'),
      st('w', 'r10', -4, 1),
      ldMapFd('r2', 'sockets'),
      // One helper takes the key itself, the other its address.
      redirect === MSG_REDIRECT_MAP ? mov('r3', 1) : [mov('r3', 'r10'), add('r3', -4)],
      mov('r4', BPF_F_INGRESS),
      call(redirect),
      exit(),
    ],
    { sockets: map },
    { expectedAttachType: 'sk_msg_verdict' },
  );
  const place = { target: map, attachType: 'sk_msg_verdict' } as const;
  progAttach(verdict, place);
  put([first, second, third]);
  first.send(Uint8Array.of(1));
  assert.equal(second.receive(), true);
  progDetach(verdict, place);
  for (const fd of accepted) closeSync(fd);
}

kernelTest(
  mapType('sockmap', () => createMap({ type: 'sockmap', maxEntries: 2 })),
  'what a program redirects to a socket of the map is received there',
  () => {
    inNetns(() => {
      using map = createMap({ type: 'sockmap', maxEntries: 3 });
      assert.equal(map.get(0), undefined);
      assertRedirects(map, MSG_REDIRECT_MAP, (sockets) => {
        sockets.forEach((socket, index) => {
          map.set(index, socket);
          assert.equal(map.get(index), socket.cookie);
        });
        assert.equal(map.delete(2), true);
        assert.equal(map.delete(2), false);
        assert.equal(map.get(2), undefined);
      });
      // What is closed is gone.
      assert.deepEqual([map.get(0), map.get(1)], [undefined, undefined]);
      assert.throws(() => map.set(3, { fd: 0 }), { name: 'RangeError', message: /^index 3 is outside sockmap map/ });
      assert.throws(() => map.set(0, map), { name: 'SysError' });
    });
  },
);

kernelTest(
  mapType('sockhash', () => createMap({ type: 'sockhash', key: u32, maxEntries: 2 })),
  'what a program redirects to a socket of the map is received there',
  () => {
    inNetns(() => {
      using map = createMap({ type: 'sockhash', key: u32, maxEntries: 3 });
      assert.equal(map.get(0), undefined);
      assertRedirects(map, MSG_REDIRECT_HASH, (sockets) => {
        sockets.forEach((socket, key) => {
          map.set(key, socket);
          assert.equal(map.get(key), socket.cookie);
        });
        assert.deepEqual([...map.keys()].sort(), [0, 1, 2]);
        assert.equal(map.delete(2), true);
        assert.equal(map.delete(2), false);
        assert.equal(map.get(2), undefined);
      });
      assert.deepEqual([...map.keys()], []);
    });
  },
);

kernelTest(
  mapType('reuseport_sockarray', () => createMap({ type: 'reuseport_sockarray', maxEntries: 2 })),
  'a program chooses the socket of the map that receives',
  () => {
    const SOL_SOCKET = 1;
    const SO_ATTACH_REUSEPORT_EBPF = 52;
    const SK_PASS = 1;
    inNetns(() => {
      loopbackUp();
      using map = createMap({ type: 'reuseport_sockarray', maxEntries: 2 });
      const open = (): Socket => new Socket(AF_INET, DGRAM).sharePort().bind(loopback(AF_INET, PORT));
      using first = open();
      using second = open();
      using sender = new Socket(AF_INET, DGRAM);
      using choose = load(
        'sk_reuseport',
        [
          st('w', 'r10', -4, 0),
          ldMapFd('r2', 'sockets'),
          mov('r3', 'r10'),
          add('r3', -4),
          mov('r4', 0),
          call(SK_SELECT_REUSEPORT),
          mov('r0', SK_PASS),
          exit(),
        ],
        { sockets: map },
      );
      setOption(first, SOL_SOCKET, SO_ATTACH_REUSEPORT_EBPF, new Uint8Array(Uint32Array.of(choose.fd).buffer));
      for (const socket of [first, second]) {
        map.set(0, socket);
        assert.equal(map.get(0), socket.cookie);
        sender.send(Uint8Array.of(1), loopback(AF_INET, PORT));
        assert.equal(receive(socket.fd), true);
        assert.equal(map.delete(0), true);
      }
      assert.equal(map.get(0), undefined);
      assert.equal(map.delete(0), false);
      // One that is not bound shares no port.
      assert.throws(() => map.set(0, sender), { code: 'EINVAL' });
    });
  },
);

kernelTest(
  mapType('sk_storage', () => createMap({ type: 'sk_storage', value: u32 })),
  'a value of a socket, as a program sees it',
  () => {
    using map = createMap({ type: 'sk_storage', value: u64 });
    using seen = createMap({ type: 'array', value: u64, maxEntries: 1 });
    using socket = new Socket(AF_INET, DGRAM);
    assert.equal(map.get(socket), undefined);
    assert.equal(map.set(socket, 5n, 'exist'), false);
    assert.equal(map.set(socket, 5n), true);
    assert.equal(map.set(socket, 6n, 'noexist'), false);
    assert.equal(map.get(socket), 5n);
    using read = load(
      'cgroup_sockopt',
      [
        ldx('dw', 'r2', 'r1', 0), // bpf_sockopt.sk
        ldMapFd('r1', 'values'),
        mov('r3', 0),
        mov('r4', 0),
        call(SK_STORAGE_GET),
        jeq('r0', 0, 'out'),
        ldx('dw', 'r1', 'r0', 0),
        ldMapValue('r2', 'seen', 0),
        stx('dw', 'r2', 'r1', 0),
        label('out'),
        mov('r0', 1),
        exit(),
      ],
      { values: map, seen },
      { expectedAttachType: 'cgroup_getsockopt' },
    );
    withCgroup((target) => {
      using _ = linkCreate({ prog: read, target, attachType: 'cgroup_getsockopt' });
      // A socket is of the cgroup that it was made in.
      target.inside(() => {
        using inside = new Socket(AF_INET, DGRAM);
        map.set(inside, 2n ** 40n);
        inside.option();
        assert.equal(seen.get(0), 2n ** 40n);
        assert.equal(map.delete(inside), true);
        seen.set(0, 0n);
        inside.option();
        assert.equal(seen.get(0), 0n);
      });
    });
    assert.equal(map.delete(socket), true);
    assert.equal(map.delete(socket), false);
    assert.throws(
      () => map.get(map),
      (error: Error & { code?: string }) => /^(ENOTSOCK|EBADF|EINVAL)$/.test(error.code ?? ''),
    );
  },
);
