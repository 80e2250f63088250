import { openAttr, putStruct, readField } from './attr.ts';
import { callOrThrow } from './bpf.ts';
import { nameOf } from './check.ts';
import type { HasFd } from './fd.ts';
import { requireKind } from './fd-kind.ts';
import type { CgroupOrder } from './link.ts';
import { type NativeMemory, type Scope, withScope } from './memory.ts';
import type { AttachType } from './prog.ts';
import { attachTypes, cgroupIterOrders, linkTypes, structs } from './uapi.gen.ts';

export type LinkType = keyof typeof linkTypes;
type Attach = AttachType | number;

/**
 * What the kernel says of a link (`struct bpf_link_info`): by its type, what it is attached to. Cookies are 0 where the kernel
 * does not tell them: those of perf events before Linux 6.9, of tracing and raw tracepoints before 6.17.
 */
export type LinkInfo = { readonly id: number; readonly progId: number } & LinkDetails;

export type LinkDetails =
  | { readonly type: 'raw_tracepoint'; readonly name: string; readonly cookie: bigint }
  | {
      readonly type: 'tracing';
      readonly attachType: Attach;
      /** The program or BTF object that the function is in, and its BTF id there. Linux 5.13. */
      readonly targetObjId: number;
      readonly targetBtfId: number;
      readonly cookie: bigint;
    }
  | { readonly type: 'cgroup'; readonly cgroupId: bigint; readonly attachType: Attach }
  | {
      readonly type: 'iter';
      readonly target: string;
      readonly mapId?: number;
      readonly cgroup?: { readonly id: bigint; readonly order: CgroupOrder | number };
      readonly task?: { readonly tid: number; readonly pid: number };
    }
  | { readonly type: 'netns'; readonly netnsIno: number; readonly attachType: Attach }
  | { readonly type: 'xdp'; readonly ifindex: number }
  | { readonly type: 'tcx' | 'netkit'; readonly ifindex: number; readonly attachType: Attach }
  | { readonly type: 'struct_ops'; readonly mapId: number }
  | { readonly type: 'sockmap'; readonly mapId: number; readonly attachType: Attach }
  | {
      readonly type: 'netfilter';
      readonly pf: number;
      readonly hooknum: number;
      readonly priority: number;
      readonly flags: number;
    }
  | { readonly type: 'kprobe_multi'; readonly count: number; readonly retprobe: boolean; readonly missed: bigint }
  | {
      readonly type: 'uprobe_multi';
      readonly count: number;
      readonly retprobe: boolean;
      readonly pid: number;
      readonly path: string;
    }
  /** Its functions the kernel says in /proc/PID/fdinfo only. Linux 7.2. */
  | { readonly type: 'tracing_multi' }
  /** 'kprobe', 'uprobe' and their return kinds have a name and an offset in it, a tracepoint its name. Linux 6.6. */
  | {
      readonly type: 'perf_event';
      readonly event: string;
      readonly name: string;
      readonly offset: number;
      readonly cookie: bigint;
    }
  /** One that this package knows nothing of but its number. */
  | { readonly type: 'other'; readonly number: number };

const INFO = 'bpf_link_info';
const { bytes: INFO_BYTES, fields: FIELDS } = structs[INFO];
type Fields = typeof FIELDS;

/**
 * BPF_OBJ_GET_INFO_BY_FD of a link. Linux 5.8.
 *
 * @throws SysError; TypeError when the descriptor is not of a link
 */
export function linkGetInfo(link: HasFd): LinkInfo {
  requireKind(link, 'link');
  return withScope((scope) => {
    const info = scope.alloc(INFO_BYTES);
    ask(scope, link, info);
    const id = readField(INFO, info.view, 'id');
    return { id, progId: readField(INFO, info.view, 'prog_id'), ...details(scope, link, info) };
  });
}

function details(scope: Scope, link: HasFd, info: NativeMemory): LinkDetails {
  const get = <Field extends keyof Fields>(field: Field) => readField(INFO, info.view, field);
  const attachType = (field: keyof Fields): Attach => nameOf(attachTypes, get(field) as number);
  const number = get('type');
  const type = nameOf(linkTypes, number);
  switch (type) {
    case 'raw_tracepoint': {
      const name = text(scope, link, info, 'raw_tracepoint.tp_name', 'raw_tracepoint.tp_name_len');
      return { type, name, cookie: get('raw_tracepoint.cookie') };
    }
    case 'tracing':
      return {
        type,
        attachType: attachType('tracing.attach_type'),
        targetObjId: get('tracing.target_obj_id'),
        targetBtfId: get('tracing.target_btf_id'),
        cookie: get('tracing.cookie'),
      };
    case 'cgroup':
      return { type, cgroupId: get('cgroup.cgroup_id'), attachType: attachType('cgroup.attach_type') };
    case 'iter': {
      const target = text(scope, link, info, 'iter.target_name', 'iter.target_name_len');
      return { type, target, ...iterDetails(target, get) };
    }
    case 'netns':
      return { type, netnsIno: get('netns.netns_ino'), attachType: attachType('netns.attach_type') };
    case 'xdp':
      return { type, ifindex: get('xdp.ifindex') };
    case 'tcx':
      return { type, ifindex: get('tcx.ifindex'), attachType: attachType('tcx.attach_type') };
    case 'netkit':
      return { type, ifindex: get('netkit.ifindex'), attachType: attachType('netkit.attach_type') };
    case 'struct_ops':
      return { type, mapId: get('struct_ops.map_id') };
    case 'sockmap':
      return { type, mapId: get('sockmap.map_id'), attachType: attachType('sockmap.attach_type') };
    case 'netfilter':
      return {
        type,
        pf: get('netfilter.pf'),
        hooknum: get('netfilter.hooknum'),
        priority: get('netfilter.priority'),
        flags: get('netfilter.flags'),
      };
    case 'kprobe_multi':
      return {
        type,
        count: get('kprobe_multi.count'),
        retprobe: (get('kprobe_multi.flags') & 1) === 1,
        missed: get('kprobe_multi.missed'),
      };
    case 'uprobe_multi': {
      const facts = {
        type,
        count: get('uprobe_multi.count'),
        retprobe: (get('uprobe_multi.flags') & 1) === 1,
        pid: get('uprobe_multi.pid'),
      } as const;
      return { ...facts, path: text(scope, link, info, 'uprobe_multi.path', 'uprobe_multi.path_size', PATH_BYTES) };
    }
    case 'tracing_multi':
      return { type };
    case 'perf_event':
      return perfEvent(scope, link, info);
    default:
      return { type: 'other', number };
  }
}

function iterDetails(target: string, get: <Field extends keyof Fields>(field: Field) => unknown) {
  if (target.startsWith('bpf_map_elem') || target.startsWith('bpf_sk_storage_map') || target === 'sockmap')
    return { mapId: get('iter.map.map_id') as number };
  if (target === 'cgroup')
    return {
      cgroup: {
        id: get('iter.cgroup.cgroup_id') as bigint,
        order: nameOf(cgroupIterOrders, get('iter.cgroup.order') as number),
      },
    };
  if (target.startsWith('task'))
    return { task: { tid: get('iter.task.tid') as number, pid: get('iter.task.pid') as number } };
  return {};
}

/** enum bpf_perf_event_type. */
const PERF_EVENTS = ['unspec', 'uprobe', 'uretprobe', 'kprobe', 'kretprobe', 'tracepoint', 'event'] as const;

function perfEvent(scope: Scope, link: HasFd, info: NativeMemory): LinkDetails {
  const get = <Field extends keyof Fields>(field: Field) => readField(INFO, info.view, field);
  const event = PERF_EVENTS[get('perf_event.type')] ?? 'unspec';
  const facts = { type: 'perf_event', event } as const;
  if (event === 'tracepoint') {
    const name = text(scope, link, info, 'perf_event.tracepoint.tp_name', 'perf_event.tracepoint.name_len', NAME_BYTES);
    return { ...facts, name, offset: 0, cookie: get('perf_event.tracepoint.cookie') };
  }
  if (event.startsWith('u') && event !== 'unspec') {
    const name = text(scope, link, info, 'perf_event.uprobe.file_name', 'perf_event.uprobe.name_len', PATH_BYTES);
    return { ...facts, name, offset: get('perf_event.uprobe.offset'), cookie: get('perf_event.uprobe.cookie') };
  }
  if (event.startsWith('k')) {
    const name = text(scope, link, info, 'perf_event.kprobe.func_name', 'perf_event.kprobe.name_len', NAME_BYTES);
    return { ...facts, name, offset: get('perf_event.kprobe.offset'), cookie: get('perf_event.kprobe.cookie') };
  }
  return { ...facts, name: '', offset: 0, cookie: 0n };
}

const NAME_BYTES = 512;
const PATH_BYTES = 4096;

/** Asks again with room for a name, which the kernel puts where it is told. */
function text(
  scope: Scope,
  link: HasFd,
  info: NativeMemory,
  address: keyof Fields,
  length: keyof Fields,
  room: number = NAME_BYTES,
): string {
  const buffer = scope.alloc(room);
  info.bytes.fill(0);
  putStruct(INFO, info.view, { [address]: buffer.address, [length]: room });
  ask(scope, link, info);
  const end = buffer.bytes.indexOf(0);
  return new TextDecoder().decode(buffer.bytes.subarray(0, end < 0 ? room : end));
}

function ask(scope: Scope, link: HasFd, info: NativeMemory): void {
  callOrThrow(
    openAttr(scope, 'BPF_OBJ_GET_INFO_BY_FD', { bpf_fd: link.fd, info_len: info.bytes.length, info: info.address }),
  );
}
