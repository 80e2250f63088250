// A network namespace of a test's own, with a pair of virtual interfaces in it: no test touches the machine's own.
import { closeSync, existsSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { errnoNumber, rawSyscall, UnavailableError } from '@bpf/sys';
import { ifIndex } from '@bpf/sys/netlink';
import { getLibc, type SyscallName } from '../../packages/sys/src/libc.ts';
import { withScope } from '../../packages/sys/src/memory.ts';
import { attr, attrNested, attrString } from '../../packages/sys/src/netlink/message.ts';
import { NLM_F_CREATE, NLM_F_EXCL, rtRequest } from '../../packages/sys/src/netlink/netlink.ts';
import { tcmsg } from '../../packages/sys/src/netlink/tc.ts';

const CLONE_NEWNET = 0x4000_0000;
const [UNSHARE, SETNS] = process.arch === 'x64' ? [272, 308] : [97, 268];
const LE = true;

let inside = false;

/**
 * Runs `fn` in a new network namespace, of this thread only, and comes back. `fn` is synchronous: whatever else the thread
 * does meanwhile would be in there too. The namespace ends with what is in it.
 *
 * @throws UnavailableError without CAP_SYS_ADMIN
 */
export function inNetns<T>(fn: () => T): T {
  const outer = inside;
  const home = openSync('/proc/thread-self/ns/net', 'r');
  try {
    const result = rawSyscall(UNSHARE, CLONE_NEWNET);
    if (result !== 0) throw new UnavailableError(`A network namespace of its own is refused (unshare(2): ${result}).`);
    inside = true;
    try {
      const result = fn();
      if (result instanceof Promise) throw new TypeError('fn cannot be async');
      return result;
    } finally {
      goBack(home);
      inside = outer;
    }
  } finally {
    closeSync(home);
  }
}

/** What follows is never to happen to the machine's own network. */
function requireInside(): void {
  if (!inside) throw new TypeError('only within inNetns');
}

function goBack(home: number): void {
  const result = rawSyscall(SETNS, home, CLONE_NEWNET);
  if (result !== 0) throw new Error(`no way back (setns(2): ${result})`);
}

/**
 * Two interfaces, where what is sent on `from` comes in at `to`, and a UDP socket that hears what arrives there.
 * Only within {@link inNetns}.
 */
export class Wire implements Disposable {
  readonly from: number;
  readonly to: number;
  readonly #sender: number;
  readonly #receiver: number;

  constructor() {
    requireInside();
    quietIpv6();
    addVeth('wire0', 'wire1');
    this.from = ifIndex('wire0');
    this.to = ifIndex('wire1');
    addAddress(this.to, ADDRESS_TO);
    for (const ifindex of [this.from, this.to]) setUp(ifindex);
    this.#sender = socket(AF_PACKET, SOCK_RAW);
    this.#receiver = socket(AF_INET, SOCK_DGRAM);
    withScope((scope) => {
      const timeval = scope.alloc(16);
      timeval.view.setUint32(8, 50_000, LE);
      call('setsockopt', this.#receiver, SOL_SOCKET, SO_RCVTIMEO, timeval.address, 16);
      const address = Uint8Array.of(AF_INET, 0, ...PORT, ...ADDRESS_TO, 0, 0, 0, 0, 0, 0, 0, 0);
      call('bind', this.#receiver, scope.copy(address), address.byteLength);
    });
    // The kernel takes a moment to see that the wire is plugged in.
    const end = Date.now() + 10_000;
    do this.send();
    while (!this.arrives() && Date.now() < end);
    while (this.arrives());
  }

  /** Sends one UDP datagram over the wire, as a whole Ethernet frame. */
  send(): void {
    withScope((scope) => {
      const address = scope.alloc(20); // struct sockaddr_ll
      address.view.setUint16(0, AF_PACKET, LE);
      address.view.setUint32(4, this.from, LE);
      const { sendto } = getLibc().numbers;
      const result = rawSyscall(sendto, this.#sender, scope.copy(FRAME), FRAME.byteLength, 0, address, 20);
      // ENOBUFS is what the sender hears of a packet that was dropped on its way out.
      if (result !== FRAME.byteLength && result !== -errnoNumber('ENOBUFS')) throw new Error(`sendto: ${result}`);
    });
  }

  /** Whether a datagram has arrived, or does within 50 ms. */
  arrives(): boolean {
    return withScope((scope) => {
      const { recvfrom } = getLibc().numbers;
      const buffer = scope.alloc(64);
      let result: number | bigint;
      // A signal may come meanwhile, as Node's own threads send them.
      do result = rawSyscall(recvfrom, this.#receiver, buffer, 64, 0, 0, 0);
      while (result === -errnoNumber('EINTR'));
      if (result < 0 && result !== -errnoNumber('EAGAIN')) throw new Error(`recvfrom: ${result}`);
      return result >= 0;
    });
  }

  [Symbol.dispose](): void {
    closeSync(this.#sender);
    closeSync(this.#receiver);
  }
}

/** Makes a pair of veth(4) interfaces. Only within {@link inNetns}. */
export function addVeth(name: string, peer: string): void {
  requireInside();
  const link = (name: string, mac: readonly number[]): Uint8Array[] => [
    new Uint8Array(16), // struct ifinfomsg
    attrString(3, name), // IFLA_IFNAME
    attr(1, Uint8Array.from(mac)), // IFLA_ADDRESS
  ];
  const peerInfo = Uint8Array.from(link(peer, MAC_TO).flatMap((part) => [...part]));
  rtRequest({
    command: 'RTM_NEWLINK',
    flags: NLM_F_CREATE | NLM_F_EXCL,
    parts: [
      ...link(name, MAC_FROM),
      // IFLA_LINKINFO: IFLA_INFO_KIND, IFLA_INFO_DATA with VETH_INFO_PEER.
      attrNested(18, attrString(1, 'veth'), attrNested(2, attr(1, peerInfo))),
    ],
    explain: (code) =>
      code === 'EOPNOTSUPP' ? { unavailable: 'this kernel has no veth: it needs CONFIG_VETH.' } : undefined,
  });
}

/** Makes a pair of netkit devices, both up. Only within {@link inNetns}. */
export function addNetkit(name: string, peer: string): void {
  requireInside();
  const ifinfomsg = new Uint8Array(16);
  const peerInfo = Uint8Array.from([...ifinfomsg, ...attrString(3, peer)]);
  rtRequest({
    command: 'RTM_NEWLINK',
    flags: NLM_F_CREATE | NLM_F_EXCL,
    // IFLA_NETKIT_PEER_INFO is 1.
    parts: [ifinfomsg, attrString(3, name), attrNested(18, attrString(1, 'netkit'), attrNested(2, attr(1, peerInfo)))],
    explain: (code) =>
      code === 'EOPNOTSUPP'
        ? { unavailable: 'this kernel has no netkit: it needs Linux 6.7 and CONFIG_NETKIT.' }
        : undefined,
  });
  for (const device of [name, peer]) setUp(ifIndex(device));
}

/** Gives an interface a queueing discipline of this kind. Only within {@link inNetns}. */
export function addQdisc(name: string, kind: string): void {
  requireInside();
  const TC_H_ROOT = 0xffff_ffff;
  const parts = [tcmsg(ifIndex(name), 0, TC_H_ROOT, 0), attrString(1, kind)];
  rtRequest({ command: 'RTM_NEWQDISC', flags: NLM_F_CREATE | NLM_F_EXCL, parts });
}

/** Brings an interface up. Only within {@link inNetns}. */
export function interfaceUp(name: string): void {
  requireInside();
  setUp(ifIndex(name));
}

/** Brings the loopback interface up. Only within {@link inNetns}. */
export function loopbackUp(): void {
  interfaceUp('lo');
}

const AF_INET = 2;
const AF_PACKET = 17;
const SOCK_DGRAM = 2;
const SOCK_RAW = 3;
const SOCK_CLOEXEC = 0o2000000;
const SOL_SOCKET = 1;
const SO_RCVTIMEO = 20;
const MAC_FROM = [2, 0, 0, 0, 0, 0x10];
const MAC_TO = [2, 0, 0, 0, 0, 0x11];
const ADDRESS_FROM = [10, 77, 0, 2];
const ADDRESS_TO = [10, 77, 0, 1];
const PORT = [0x0f, 0xa0];
const FRAME = frame();

/** Ethernet, IPv4 and UDP, whose checksum may be left out. */
function frame(): Uint8Array {
  const payload = [...'hello'].map((letter) => letter.charCodeAt(0));
  const udp = [...PORT, ...PORT, 0, 8 + payload.length, 0, 0, ...payload];
  const ip = [0x45, 0, 0, 20 + udp.length, 0, 0, 0x40, 0, 64, 17, 0, 0, ...ADDRESS_FROM, ...ADDRESS_TO];
  let sum = 0;
  for (let i = 0; i < ip.length; i += 2) sum += ((ip[i] ?? 0) << 8) | (ip[i + 1] ?? 0);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  ip[10] = (~sum >>> 8) & 0xff;
  ip[11] = ~sum & 0xff;
  return Uint8Array.from([...MAC_TO, ...MAC_FROM, 0x08, 0x00, ...ip, ...udp]);
}

function addAddress(ifindex: number, address: readonly number[]): void {
  const ifaddrmsg = Uint8Array.of(AF_INET, 24, 0, 0, ifindex, ifindex >> 8, 0, 0);
  const bytes = Uint8Array.from(address);
  rtRequest({ command: 'RTM_NEWADDR', flags: NLM_F_CREATE, parts: [ifaddrmsg, attr(2, bytes), attr(1, bytes)] });
}

function setUp(ifindex: number): void {
  const ifinfomsg = new DataView(new ArrayBuffer(16));
  ifinfomsg.setUint32(4, ifindex, LE);
  ifinfomsg.setUint32(8, 1, LE); // IFF_UP
  ifinfomsg.setUint32(12, 1, LE);
  rtRequest({ command: 'RTM_SETLINK', parts: [new Uint8Array(ifinfomsg.buffer)] });
}

/** No packets but those of the test. /proc/sys/net is that of the reader's namespace. */
function quietIpv6(): void {
  for (const name of ['all', 'default']) {
    const path = `/proc/sys/net/ipv6/conf/${name}/disable_ipv6`;
    if (existsSync(path) && readFileSync(path, 'utf8') !== '1\n') writeFileSync(path, '1');
  }
}

function socket(family: number, type: number): number {
  return call('socket', family, type | SOCK_CLOEXEC, 0);
}

function call(name: SyscallName, ...args: readonly number[]): number {
  const result = Number(rawSyscall(getLibc().numbers[name], ...args));
  if (result < 0) throw new Error(`${name}: ${result}`);
  return result;
}
