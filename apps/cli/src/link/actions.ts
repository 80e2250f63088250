import { eachObject } from '@bpf/programs';
import { type HasFd, type LinkInfo, linkDetach, linkGetInfo, objPin } from '@bpf/sys';
import { openObject } from '../objects.ts';
import { fields, jsonLine, print } from '../output.ts';
import { table } from '../table.ts';

const open = (argument: string) => openObject('link', argument, () => '');

/** A link as bpftool's JSON has it: `{ id, type, prog_id }` and what its type has. */
function linkJson(fd: HasFd): Record<string, unknown> {
  const { id, type, progId, ...rest } = linkGetInfo(fd);
  return { id, type, prog_id: progId, ...detailsJson({ id, type, progId, ...rest } as LinkInfo) };
}

function detailsJson(info: LinkInfo): Record<string, unknown> {
  switch (info.type) {
    case 'raw_tracepoint':
      return { tp_name: info.name };
    case 'tracing':
      return { attach_type: info.attachType, target_obj_id: info.targetObjId, target_btf_id: info.targetBtfId };
    case 'cgroup':
      return { cgroup_id: info.cgroupId, attach_type: info.attachType };
    case 'iter':
      return { target_name: info.target, ...(info.mapId !== undefined && { map_id: info.mapId }) };
    case 'netns':
      return { netns_ino: info.netnsIno, attach_type: info.attachType };
    case 'xdp':
      return { ifindex: info.ifindex };
    case 'tcx':
    case 'netkit':
      return { ifindex: info.ifindex, attach_type: info.attachType };
    case 'struct_ops':
      return { map_id: info.mapId };
    case 'sockmap':
      return { map_id: info.mapId, attach_type: info.attachType };
    case 'netfilter':
      return { pf: info.pf, hook: info.hooknum, prio: info.priority, flags: info.flags };
    case 'kprobe_multi':
      return { retprobe: info.retprobe, func_cnt: info.count, missed: info.missed };
    case 'uprobe_multi':
      return { retprobe: info.retprobe, path: info.path, func_cnt: info.count, pid: info.pid };
    case 'perf_event':
      return { event: info.event, ...(info.name && { name: info.name, offset: info.offset }), cookie: info.cookie };
    case 'tracing_multi':
      return {};
    default:
      return { number: info.number };
  }
}

/** `bpf link list`. */
export async function listLinks(options: { readonly json?: true }): Promise<void> {
  const all = [...eachObject('link', linkJson)];
  if (options.json) return print(all.map(jsonLine));
  const columns = [
    { head: 'ID', align: 'right' },
    { head: 'TYPE' },
    { head: 'PROG', align: 'right' },
    { head: 'ATTACHED TO' },
  ] as const;
  const rows = all.map(({ id, type, prog_id, ...rest }) => [Number(id), String(type), Number(prog_id), where(rest)]);
  return print(table(columns, rows));
}

const where = (rest: Readonly<Record<string, unknown>>): string =>
  Object.entries(rest)
    .map(([name, value]) => `${name} ${value}`)
    .join(' ');

/** `bpf link show`. */
export async function showLink(argument: string, options: { readonly json?: true }): Promise<void> {
  using link = open(argument);
  const json = linkJson(link);
  return print([options.json ? jsonLine(json) : fields(json)]);
}

/** `bpf link detach`. */
export function detachLink(argument: string): void {
  using link = open(argument);
  linkDetach(link);
}

/** `bpf link pin`. */
export function pinLink(argument: string, path: string): void {
  using link = open(argument);
  objPin(path, link);
}
