import { linkCreate, mapCreate, progAttach, progDetach, progLoad } from '@bpf/sys';
import { ifIndex, lwtRouteAdd, tcClsactAdd, tcFilterAdd, xdpAttach } from '@bpf/sys/netlink';
import type { Feature } from '../harness.ts';
import { addNetkit, addVeth, inNetns, loopbackUp } from '../netns.ts';
import { bpfSyscall, linkProbe, RETURN_0, RETURN_1 } from './probe.ts';

/** XDP programs on an interface, attached by netlink: tried in a network namespace of its own. */
export const netlinkXdp: Feature = {
  name: 'netlink/xdp',
  probe() {
    using prog = progLoad({ type: 'xdp', insns: RETURN_0, license: 'GPL' });
    return inNetns(() => {
      addVeth('a', 'b');
      xdpAttach({ ifindex: ifIndex('a'), prog, mode: 'skb' });
      return undefined;
    });
  },
};

/** Filters of kind bpf on an interface's clsact, added by netlink. */
export const netlinkTc: Feature = {
  name: 'netlink/tc',
  probe() {
    using prog = progLoad({ type: 'sched_cls', insns: RETURN_0, license: 'GPL' });
    return inNetns(() => {
      addVeth('a', 'b');
      const ifindex = ifIndex('a');
      tcClsactAdd(ifindex);
      tcFilterAdd({ ifindex, direction: 'ingress', prog, name: 'probe' });
      return undefined;
    });
  },
};

export const attachXdp: Feature = { ...netlinkXdp, name: 'attach/xdp' };
export const attachTc: Feature = { ...netlinkTc, name: 'attach/tc' };
/** Neither needs more than bpf(2), on every kernel since 5.10. */
export const attachNetns: Feature = { ...bpfSyscall, name: 'attach/netns' };
export const attachSocket: Feature = { ...bpfSyscall, name: 'attach/socket' };

export const attachSockmap: Feature = sockmap('attach/sockmap', 'sk_msg', 'sk_msg_verdict');
/** Without a parser: Linux 5.13. */
export const attachSkSkbVerdict: Feature = sockmap('attach/sk_skb_verdict', 'sk_skb', 'sk_skb_verdict');

function sockmap(name: string, type: 'sk_msg' | 'sk_skb', attachType: 'sk_msg_verdict' | 'sk_skb_verdict'): Feature {
  return {
    name,
    probe: () =>
      linkProbe(`${attachType} programs`, () => {
        using target = mapCreate({ type: 'sockmap', keySize: 4, valueSize: 4, maxEntries: 1 });
        using prog = progLoad({ type, expectedAttachType: attachType, insns: RETURN_1, license: 'GPL' });
        progAttach(prog, { target, attachType });
        progDetach(prog, { target, attachType });
      }),
  };
}

/** Linux 6.4. */
export const attachNetfilter: Feature = {
  name: 'attach/netfilter',
  probe: () =>
    linkProbe('netfilter links', () => {
      const attachType = 'netfilter';
      using prog = progLoad({ type: 'netfilter', expectedAttachType: attachType, insns: RETURN_1, license: 'GPL' });
      inNetns(() => linkCreate({ prog, attachType, netfilter: { pf: 2, hooknum: 1, priority: 1 } }).close());
    }),
};

/** Linux 6.7. */
export const attachNetkit: Feature = {
  name: 'attach/netkit',
  probe: () => {
    inNetns(() => addNetkit('nk0', 'nk1'));
    return undefined;
  },
};

/** Programs on routes: CONFIG_LWTUNNEL_BPF, and for segments of SRv6 CONFIG_IPV6_SEG6_BPF. */
export const attachLwt: Feature = lwt('attach/lwt', 'lwt_out', '10.1.0.0/16');
export const attachLwtSeg6: Feature = lwt('attach/lwt_seg6local', 'lwt_seg6local', 'fc00:1::1');

function lwt(name: string, type: 'lwt_out' | 'lwt_seg6local', to: string): Feature {
  return {
    name,
    probe: () =>
      linkProbe(`${type} programs`, () => {
        using prog = progLoad({ type, insns: RETURN_0, license: 'GPL' });
        inNetns(() => {
          loopbackUp();
          lwtRouteAdd({ to, ifindex: ifIndex('lo'), prog, type, name: 'probe' });
        });
      }),
  };
}
