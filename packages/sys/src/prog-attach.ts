import { type Attr, openAttr } from './attr.ts';
import { bpfError, call, callOrThrow } from './bpf.ts';
import { numberOf } from './check.ts';
import type { HasFd } from './fd.ts';
import { anchorOf, type LinkOrder, orderFlags } from './link.ts';
import { withScope } from './memory.ts';
import type { AttachType } from './prog.ts';
import { attachTypes } from './uapi.gen.ts';

/** Where programs are attached without a link: a cgroup, a map (for sockmaps), a lirc device, or an interface (tcx, netkit). */
export interface AttachTarget {
  readonly target?: HasFd;
  readonly ifindex?: number;
  readonly attachType: AttachType | number;
}

/** How a program shares a cgroup with others: it alone and below nothing, until something below overrides it, or all. */
const attachFlags = { none: 0, allow_override: 1, allow_multi: 2 } as const;
export type AttachFlag = keyof typeof attachFlags;

const BPF_F_REPLACE = 4;

/**
 * BPF_PROG_ATTACH: attaches without a link: it stays until somebody detaches it. Linux 4.10.
 *
 * @param options.replace the program that it takes the place of. Linux 5.6
 * @throws SysError; UnavailableError
 */
export function progAttach(
  prog: HasFd,
  at: AttachTarget,
  options: { readonly flag?: AttachFlag; readonly replace?: HasFd; readonly order?: LinkOrder } = {},
): void {
  const { flag = 'none', replace, order = {} } = options;
  withScope((scope) => {
    callOrThrow(
      openAttr(scope, 'BPF_PROG_ATTACH', {
        target_fd: at.target?.fd ?? at.ifindex ?? 0,
        attach_bpf_fd: prog.fd,
        attach_type: numberOf(attachTypes, at.attachType, 'attach type'),
        attach_flags: numberOf(attachFlags, flag, 'attach flag') | (replace ? BPF_F_REPLACE : 0) | orderFlags(order),
        replace_bpf_fd: replace?.fd ?? 0,
        relative_fd: anchorOf(order),
        expected_revision: order.expectedRevision ?? 0,
      }),
    );
  });
}

/**
 * BPF_PROG_DETACH. Linux 4.10.
 *
 * @param prog which one, where there may be several; whatever is attached when left out
 * @throws SysError 'ENOENT' when it is not attached there
 */
export function progDetach(prog: HasFd | undefined, at: AttachTarget): void {
  withScope((scope) => {
    callOrThrow(
      openAttr(scope, 'BPF_PROG_DETACH', {
        target_fd: at.target?.fd ?? at.ifindex ?? 0,
        attach_bpf_fd: prog?.fd ?? 0,
        attach_type: numberOf(attachTypes, at.attachType, 'attach type'),
      }),
    );
  });
}

/** What is attached somewhere. */
export interface ProgQuery {
  readonly progIds: readonly number[];
  /** The flags of the cgroup itself, as bits. */
  readonly attachFlags: number;
  /** Changes with every change there, for tcx, netkit and cgroups; 0 elsewhere. Linux 6.6. */
  readonly revision: bigint;
}

const EFFECTIVE = 1;
const ENOSPC = 28;
const FIRST_ROOM = 64;

/**
 * BPF_PROG_QUERY: the programs that are attached at a place, in the order in which they run. Linux 4.15; network
 * namespaces 4.20, tcx 6.6.
 *
 * @param options.effective those that run there, those of the cgroups above included
 * @throws SysError; UnavailableError
 */
export function progQuery(at: AttachTarget, options: { readonly effective?: boolean } = {}): ProgQuery {
  for (let room = FIRST_ROOM; ; room *= 4) {
    const answer = withScope((scope) => {
      const ids = scope.alloc(room * 4);
      const attr: Attr<'BPF_PROG_QUERY'> = openAttr(scope, 'BPF_PROG_QUERY', {
        target_fd: at.target?.fd ?? at.ifindex ?? 0,
        attach_type: numberOf(attachTypes, at.attachType, 'attach type'),
        query_flags: options.effective ? EFFECTIVE : 0,
        prog_ids: ids.address,
        prog_cnt: room,
      });
      const result = call(attr);
      if (result === -ENOSPC) return undefined;
      if (result < 0) throw bpfError(attr, -result);
      const count = Math.min(attr.get('prog_cnt'), room);
      return {
        progIds: Array.from({ length: count }, (_, i) => ids.view.getUint32(i * 4, true)),
        attachFlags: attr.get('attach_flags'),
        revision: BigInt(attr.get('revision')),
      };
    });
    if (answer) return answer;
  }
}
