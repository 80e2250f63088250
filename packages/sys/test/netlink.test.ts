import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Machine } from '../src/index.ts';
import { addressBytes, prefixOf } from '../src/netlink/address.ts';
import { netlinkError, parseAck, whyNetNotPermitted } from '../src/netlink/error.ts';
import * as netlink from '../src/netlink/index.ts';
import {
  ifIndex,
  lwtRouteAdd,
  lwtRouteDelete,
  tcFilterAdd,
  tcFilterDelete,
  tcFilterList,
  xdpAttach,
  xdpQuery,
} from '../src/netlink/index.ts';
import {
  attr,
  attrNested,
  attrString,
  attrU32,
  message,
  parseAttributes,
  parseMessages,
  readString,
  readU32,
  structOf,
} from '../src/netlink/message.ts';
import { collect } from '../src/netlink/netlink.ts';

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
const bytes = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text.replaceAll(/\s/g, ''), 'hex'));

test('the exported names', () => {
  expect(Object.keys(netlink).sort()).toMatchInlineSnapshot(`
    [
      "ifIndex",
      "lwtRouteAdd",
      "lwtRouteDelete",
      "tcClsactAdd",
      "tcClsactDelete",
      "tcFilterAdd",
      "tcFilterDelete",
      "tcFilterList",
      "xdpAttach",
      "xdpDetach",
      "xdpQuery",
    ]
  `);
});

test('messages and attributes, byte by byte', () => {
  expect(hex(attr(1, Uint8Array.of(0xaa)))).toBe('05000100aa000000');
  expect(hex(attrU32(3, 0x12345678))).toBe('0800030078563412');
  expect(hex(attrU32(1, -1))).toBe('08000100ffffffff');
  expect(hex(attrString(1, 'bpf'))).toBe('0800010062706600');
  expect(hex(attrString(1, ''))).toBe('0500010000000000');
  expect(hex(attrNested(43, attrU32(1, 5), attrU32(3, 1)))).toBe('14002b80' + '0800010005000000' + '0800030001000000');
  expect(hex(message(18, 0x5, 7, new Uint8Array(16), attrString(3, 'lo')))).toBe(
    '28000000120005000700000000000000' + '00000000000000000000000000000000' + '070003006c6f0000',
  );
  expect(() => attr(1, new Uint8Array(65532))).toThrow('an attribute of 65532 bytes; it holds at most 65531');
  expect(() => attrString(1, 'a\0b')).toThrow(String.raw`the text "a\u0000b" holds a NUL, at which the kernel ends it`);
});

test('what was built is parsed', () => {
  const datagram = Buffer.concat([message(16, 2, 9, attrString(3, 'lo'), attrU32(4, 1500)), message(3, 2, 9)]);
  // At an odd offset, as part of something larger.
  const shifted = new Uint8Array(datagram.length + 1);
  shifted.set(datagram, 1);
  const messages = parseMessages(shifted.subarray(1));
  expect(messages.map(({ type, flags, seq, payload }) => [type, flags, seq, payload.length])).toEqual([
    [16, 2, 9, 16],
    [3, 2, 9, 0],
  ]);
  const attributes = parseAttributes(messages[0]?.payload ?? new Uint8Array());
  expect([readString(attributes, 3), readU32(attributes, 4), readU32(attributes, 5)]).toEqual(['lo', 1500, undefined]);
  expect(readString(attributes, 5)).toBeUndefined();
});

test('flags of a type are not part of it, the last of several counts, and a text may lack its NUL', () => {
  const attributes = parseAttributes(bytes('0800 0180 01000000  0800 0140 02000000  0600 0200 6162'));
  expect(readU32(attributes, 1)).toBe(2);
  expect(readString(attributes, 2)).toBe('ab');
});

test.each([
  ['a header that is cut', '1000 0000 1200'],
  ['a length of 0', '00000000120000000100000000000000'],
  ['a length below the header', '0f000000120000000100000000000000'],
  ['a length beyond the end', '11000000120000000100000000000000'],
  ['a length of 4 GiB', 'ffffffff120000000100000000000000'],
  ['bytes after the last message', '10000000120000000100000000000000 00'],
])('a datagram is refused: %s', (_, text) => {
  expect(() => parseMessages(bytes(text))).toThrow(
    /netlink failed with EBADMSG: the answer is malformed: a message of/,
  );
});

test.each([
  ['a header that is cut', '0500'],
  ['a length of 0', '00000100'],
  ['a length below the header', '03000100'],
  ['a length beyond the end', '09000100aabbccdd'],
  ['bytes after the last one', '08000100aabbccdd 00'],
])('attributes are refused: %s', (_, text) => {
  expect(() => parseAttributes(bytes(text))).toThrow(/EBADMSG: the answer is malformed: an attribute of/);
});

test('a number or structure of another length is refused', () => {
  expect(() => readU32(parseAttributes(bytes('0600 0100 0100 0000')), 1)).toThrow(
    'a number of 4 bytes where 2 are left',
  );
  expect(() => structOf({ type: 16, flags: 0, seq: 1, payload: new Uint8Array(15) }, 16)).toThrow(
    'a structure of 16 bytes where 15 are left',
  );
});

test('any bytes either parse or are refused with EBADMSG', () => {
  let state = 1;
  const random = (below: number): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
  for (let round = 0; round < 20_000; round++) {
    // Small numbers make lengths that nearly fit.
    const data = Uint8Array.from({ length: random(48) }, () => (random(3) ? random(24) : random(256)));
    for (const parse of [
      () => parseMessages(data).map((message) => message.type < 4 && parseAck(message)),
      () => parseAttributes(data),
    ]) {
      try {
        parse();
      } catch (error) {
        expect(error).toMatchObject({ code: 'EBADMSG', syscall: 'netlink' });
      }
    }
  }
});

const NLMSG_ERROR = 2;
const NLMSG_DONE = 3;
const NLM_F_MULTI = 0x02;
const NLM_F_DUMP_INTR = 0x10;
const NLM_F_CAPPED = 0x100;
const NLM_F_ACK_TLVS = 0x200;
const int = (value: number): Uint8Array => new Uint8Array(Int32Array.of(value).buffer);
const request = message(19, 5, 9, new Uint8Array(16), attrU32(3, 4));
const ackOf = (bytes: Uint8Array) => parseAck(parseMessages(bytes)[0] ?? { type: 0, flags: 0, seq: 0, payload: bytes });

test("the kernel's sentence is found, whether it repeats the request or not", () => {
  const sentence = attrString(1, 'XDP program already attached');
  const expected = { errno: 16, sentence: 'XDP program already attached' };
  const header = request.subarray(0, 16);
  expect(ackOf(message(NLMSG_ERROR, NLM_F_CAPPED | NLM_F_ACK_TLVS, 9, int(-16), header, sentence))).toEqual(expected);
  expect(ackOf(message(NLMSG_ERROR, NLM_F_ACK_TLVS, 9, int(-16), request, sentence))).toEqual(expected);
  expect(ackOf(message(NLMSG_DONE, NLM_F_MULTI | NLM_F_ACK_TLVS, 9, int(-16), sentence))).toEqual(expected);
  expect(ackOf(message(NLMSG_ERROR, NLM_F_CAPPED, 9, int(0), header))).toEqual({ errno: 0, sentence: '' });
  expect(ackOf(message(NLMSG_DONE, NLM_F_MULTI, 9, int(0)))).toEqual({ errno: 0, sentence: '' });
  expect(() => ackOf(message(NLMSG_ERROR, 0, 9, int(0)))).toThrow('a structure of 20 bytes where 4 are left');
});

test('an answer is collected from several datagrams, without what belongs to another request', () => {
  const done = message(NLMSG_DONE, NLM_F_MULTI, 9, int(0));
  const datagrams = [
    Buffer.concat([message(16, 2, 8, int(1)), message(16, 2, 9, int(2)), message(1, 2, 9), message(36, 2, 9)]),
    message(16, 2, 9, int(3)),
    message(NLMSG_DONE, NLM_F_MULTI, 8, int(-1)),
    Buffer.concat([message(16, 2, 9, int(4)), done]),
  ];
  const answer = collect(9, 16, () => datagrams.shift() ?? new Uint8Array());
  expect(answer.messages.map(({ payload }) => payload[0])).toEqual([2, 3, 4]);
  expect(answer).toMatchObject({ interrupted: false, ack: { errno: 0 } });
  const changed = Buffer.concat([message(16, 2 | NLM_F_DUMP_INTR, 9), done]);
  expect(collect(9, 16, () => changed)).toMatchObject({ interrupted: true });
});

const root: Machine = { release: '6.1.0', capabilities: (1n << 41n) - 1n, inUserNamespace: false, seccomp: false };

test.each<[string, Partial<Machine>, RegExp]>([
  ['no capability', { capabilities: 0n }, /^this process has no permission: it needs CAP_NET_ADMIN, so run it as root/],
  ['a user namespace', { inUserNamespace: true }, /that does not own this network namespace/],
  ['a container', { seccomp: true }, /seccomp filter/],
  ['policy', {}, /although the process has CAP_NET_ADMIN/],
])('an EPERM is explained: %s', (_, facts, sentence) => {
  expect(whyNetNotPermitted({ ...root, ...facts })).toMatch(sentence);
});

test('an error has the sentence of the kernel, or a better one', () => {
  const ack = { errno: 16, sentence: 'Busy' };
  expect(netlinkError('RTM_SETLINK', ack)).toMatchObject({
    name: 'SysError',
    code: 'EBUSY',
    errno: 16,
    syscall: 'netlink',
    command: 'RTM_SETLINK',
    message: 'netlink(RTM_SETLINK) failed with EBUSY: Busy',
  });
  expect(netlinkError('RTM_SETLINK', ack, () => undefined).message).toMatch(/EBUSY: Busy$/);
  expect(netlinkError('RTM_SETLINK', ack, (code, sentence) => `${code} ${sentence}!`).message).toMatch(
    /: EBUSY Busy!$/,
  );
  expect(netlinkError('RTM_SETLINK', { errno: 95, sentence: '' }).message).toBe(
    'netlink(RTM_SETLINK) failed with EOPNOTSUPP',
  );
  expect(netlinkError('RTM_NEWQDISC', ack, () => ({ unavailable: 'no clsact.' }))).toMatchObject({
    name: 'UnavailableError',
    code: 'EBUSY',
    message: 'RTM_NEWQDISC: no clsact.',
  });
});

test('addresses and prefixes as bytes', () => {
  const hexOf = (text: string): string => hex(prefixOf(text).address);
  expect(hexOf('10.1.2.3')).toBe('0a010203');
  expect(hexOf('::')).toBe('00'.repeat(16));
  expect(hexOf('fc00:1::a')).toBe(`fc000001${'00'.repeat(10)}000a`);
  expect(hexOf('1:2:3:4:5:6:7:8')).toBe('00010002000300040005000600070008');
  expect(hexOf('::ffff:10.1.2.3')).toBe(`${'00'.repeat(10)}ffff0a010203`);
  expect(prefixOf('10.1.0.0/16').bits).toBe(16);
  expect(prefixOf('fc00::/7').bits).toBe(7);
  expect([prefixOf('0.0.0.0/0').bits, prefixOf('10.1.2.3').bits, prefixOf('::1').bits]).toEqual([0, 32, 128]);
  for (const bad of [
    '',
    '10.1.2',
    '10.1.2.256',
    '::1::',
    'fe80::1%eth0',
    '1:2:3:4:5:6:7',
    'localhost',
    '10.0.0.0/',
    ' ::',
  ])
    expect(() => prefixOf(bad), bad).toThrow(/is no IP address: one is/);
  expect(() => prefixOf('10.0.0.0/33')).toThrow("'10.0.0.0/33' has a prefix of 33 bits; such addresses have 32");
  for (const bad of ['10.1.2.3/16', 'fc00::1/64', '128.0.0.0/0', '10.1.0.1/31'])
    expect(() => prefixOf(bad), bad).toThrow(/has bits behind its prefix of \d+: the kernel wants zeros there$/);
  // Against Node's own reading: the same address, written in full.
  fc.assert(
    fc.property(fc.ipV6(), (address) => {
      const words = Array.from({ length: 8 }, (_, i) => hex(addressBytes(address)).slice(4 * i, 4 * i + 4));
      const url = (host: string): string => new URL(`http://[${host}]`).hostname;
      expect(url(words.join(':'))).toBe(url(address));
    }),
  );
});

test('what the kernel cannot take is refused before the call', () => {
  const prog = { fd: 0 };
  const route = { to: '10.1.0.0/16', ifindex: 1, prog, type: 'lwt_out', name: 'x' } as const;
  expect(() => lwtRouteAdd({ ...route, name: 'x'.repeat(256) })).toThrow('the name has 256 bytes');
  expect(() => lwtRouteAdd({ ...route, type: 'xdp' as 'lwt_in' })).toThrow("'xdp' is not a type for routes; they are");
  expect(() => lwtRouteAdd({ ...route, prog: { fd: -1 } })).toThrow('the descriptor is -1; it must be an integer in');
  expect(() => lwtRouteAdd({ ...route, via: 'fc00::1' })).toThrow("'10.1.0.0/16' and 'fc00::1' are addresses of two");
  expect(() => lwtRouteDelete({ ...route, ifindex: 0 })).toThrow('ifindex is 0; it must be an integer in 1..21474836');
  for (const bad of [0, -1, 1.5, 2 ** 31, Number.NaN]) {
    const sentence = `ifindex is ${bad}; it must be an integer in 1..2147483647`;
    expect(() => xdpQuery(bad)).toThrow(sentence);
    expect(() => xdpAttach({ ifindex: bad, prog })).toThrow(sentence);
    expect(() => tcFilterList(bad, 'ingress')).toThrow(sentence);
  }
  expect(() => xdpAttach({ ifindex: 1, prog, mode: 'native' as 'drv' })).toThrow(
    "'native' is not an XDP mode; they are drv, skb, hw",
  );
  // The descriptor -1 would detach.
  for (const options of [{ prog: { fd: -1 } }, { prog, replace: { fd: -1 } }])
    expect(() => xdpAttach({ ifindex: 1, ...options })).toThrow('the descriptor is -1; it must be an integer in');
  const filter = { ifindex: 1, direction: 'ingress', prog, name: 'x' } as const;
  expect(() => tcFilterAdd({ ...filter, priority: 0 })).toThrow('priority is 0; it must be an integer in 1..65535');
  expect(() => tcFilterAdd({ ...filter, handle: 0 })).toThrow('handle is 0; it must be an integer in 1..4294967295');
  expect(() => tcFilterAdd({ ...filter, name: 'x'.repeat(256) })).toThrow('has 256 bytes; a filter');
  expect(() => tcFilterAdd({ ...filter, direction: 'in' as 'ingress' })).toThrow(
    "'in' is not a direction; they are ingress, egress",
  );
  // Without a priority the kernel would delete all filters of the direction.
  expect(() => tcFilterDelete({ ifindex: 1, direction: 'ingress', priority: 0, handle: 1 })).toThrow(RangeError);
  expect(() => tcFilterDelete({ ifindex: 1, direction: 'ingress' } as never)).toThrow('priority is 0; it must be');
  expect(() => ifIndex('')).toThrow("the name of an interface has 1 to 127 bytes; '' has 0");
  expect(() => ifIndex('e\0')).toThrow('holds a NUL');
});
