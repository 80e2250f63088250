import assert from 'node:assert/strict';
import { closeSync } from 'node:fs';
import { ldx } from '@bpf/insn';
import { type MapFd, mapCreate, mapDeleteElem, mapUpdateElem } from '@bpf/sys';
import {
  attachSkSkbVerdict as skSkbVerdictFeature,
  attachSocket as socketFeature,
  attachSockmap as sockmapFeature,
} from '../../../tooling/kernel-test/features.ts';
import { kernelTest } from '../../../tooling/kernel-test/harness.ts';
import { inNetns, loopbackUp } from '../../../tooling/kernel-test/netns.ts';
import { AF_INET, DGRAM, loopback, receive, Socket, STREAM, send } from '../../../tooling/kernel-test/sockets.ts';
import { attachReuseport, attachSocketFilter, attachSockmap } from '../src/index.ts';
import { assertCounts, counting } from './attach-kit.ts';

const HELLO = Uint8Array.of(104, 105);
const SK_PASS = 1;
const PORT = 4000;

kernelTest(socketFeature, 'a socket filter counts what a socket receives, and goes with it', () => {
  inNetns(() => {
    loopbackUp();
    using server = new Socket(AF_INET, DGRAM).bind(loopback(AF_INET, PORT));
    using client = new Socket(AF_INET, DGRAM);
    using counter = counting({ type: 'socket_filter' }, { result: 100 });
    const pass = (): void => {
      client.send(HELLO, loopback(AF_INET, PORT));
      assert.ok(server.receive());
    };
    const link = attachSocketFilter(counter.program, server);
    assert.equal(link.info(), undefined);
    assert.throws(() => link.fd, {
      code: 'NOT_A_LINK',
      message: 'what was attached by setsockopt is no bpf_link, and has no descriptor',
    });
    assert.throws(() => link.pin('/nowhere'), { code: 'NOT_A_LINK' });
    assertCounts(counter, link, pass);
    // Its socket is gone, and the number of it another's, which keeps its own filter.
    const gone = new Socket(AF_INET, DGRAM);
    const late = attachSocketFilter(counter.program, gone.fd);
    gone[Symbol.dispose]();
    using other = new Socket(AF_INET, DGRAM).bind(loopback(AF_INET, PORT + 1));
    assert.equal(other.fd, gone.fd);
    using link2 = attachSocketFilter(counter.program, other);
    late.close();
    const before = counter.count;
    client.send(HELLO, loopback(AF_INET, PORT + 1));
    assert.ok(other.receive());
    assert.equal(counter.count, before + 1);
    using second = counting({ type: 'socket_filter' }, { result: 100 });
    link2.update(second.program);
    client.send(HELLO, loopback(AF_INET, PORT + 1));
    assert.equal(second.count, 1);
    assert.throws(() => attachSocketFilter(counter.program, counter.program), {
      code: 'ENOTSOCK',
      message: /^setsockopt failed with ENOTSOCK: descriptor \d+ must be a socket/,
    });
  });
});

kernelTest(socketFeature, 'a reuseport program counts the choices of its group', () => {
  inNetns(() => {
    loopbackUp();
    using server = new Socket(AF_INET, DGRAM).sharePort().bind(loopback(AF_INET, PORT));
    using client = new Socket(AF_INET, DGRAM);
    for (const spec of [
      { type: 'sk_reuseport', attachType: 'sk_reuseport_select' },
      { type: 'socket_filter' },
    ] as const) {
      // The filter's answer is the place of a socket in the group.
      using counter = counting(spec, { result: spec.type === 'socket_filter' ? 0 : SK_PASS });
      assertCounts(
        counter,
        attachReuseport(counter.program, server),
        () => {
          client.send(HELLO, loopback(AF_INET, PORT));
          assert.ok(server.receive());
        },
        'reuseport',
      );
    }
  });
});

const sockmap = () => mapCreate({ type: 'sockmap', keySize: 4, valueSize: 4, maxEntries: 1 });
const KEY = new Uint8Array(4);

/** A connection whose end of `side` is in the map while `pass` runs, which sends from the client to the server. */
function overSockmap(map: MapFd, side: 'client' | 'server', arrives: boolean): () => void {
  return () =>
    inNetns(() => {
      loopbackUp();
      using listener = new Socket(AF_INET, STREAM).bind(loopback(AF_INET, PORT)).listen();
      using client = new Socket(AF_INET, STREAM).connect(loopback(AF_INET, PORT));
      const server = listener.accept();
      try {
        const fd = side === 'client' ? client.fd : server;
        mapUpdateElem(map, KEY, new Uint8Array(Int32Array.of(fd).buffer));
        send(client.fd, HELLO);
        if (arrives) assert.ok(receive(server));
        mapDeleteElem(map, KEY);
      } finally {
        closeSync(server);
      }
    });
}

kernelTest(sockmapFeature, 'sk_msg counts what a socket of the map sends', () => {
  using map = sockmap();
  using counter = counting({ type: 'sk_msg' }, { result: SK_PASS });
  for (const how of [{}, { how: 'BPF_PROG_ATTACH' }] as const) {
    const link = attachSockmap(counter.program, map, how);
    assert.equal(link.info()?.type, link.how === 'BPF_LINK_CREATE' ? 'sockmap' : undefined);
    assertCounts(counter, link, overSockmap(map, 'client', true), 'sk_msg', 'detach');
  }
});

kernelTest(sockmapFeature, 'parser and verdict count what a socket of the map receives', () => {
  using map = sockmap();
  const length = [ldx('w', 'r0', 'r6', 0)];
  using parser = counting({ type: 'sk_skb', attachType: 'sk_skb_stream_parser' }, { result: length });
  using verdict = counting({ type: 'sk_skb', attachType: 'sk_skb_stream_verdict' }, { result: SK_PASS });
  for (const how of [{}, { how: 'BPF_PROG_ATTACH' }] as const) {
    using verdictLink = attachSockmap(verdict.program, map, how);
    const before = verdict.count;
    // Without a parser there is no stream to judge.
    using parserLink = attachSockmap(parser.program, map, how);
    overSockmap(map, 'server', true)();
    assert.ok(parser.count > 0);
    assert.ok(verdict.count > before);
    verdictLink.close();
    parserLink.close();
    const counts = [parser.count, verdict.count];
    overSockmap(map, 'server', true)();
    assert.deepEqual([parser.count, verdict.count], counts);
  }
});

kernelTest(skSkbVerdictFeature, 'a verdict without a parser counts, and is replaced', () => {
  using map = sockmap();
  const spec = { type: 'sk_skb', attachType: 'sk_skb_verdict' } as const;
  using first = counting(spec, { result: SK_PASS });
  using second = counting(spec, { result: SK_PASS });
  for (const how of [{}, { how: 'BPF_PROG_ATTACH' }] as const) {
    const link = attachSockmap(first.program, map, how);
    link.update(second.program);
    assertCounts(second, link, overSockmap(map, 'server', true), 'sk_skb_verdict');
    assert.equal(first.count, 0);
  }
});
