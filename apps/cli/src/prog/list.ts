import { uptime } from 'node:os';
import { eachObject } from '@bpf/programs';
import { type Fd, type HasFd, type ProgInfo, progGetInfo } from '@bpf/sys';
import { fdinfo, openObject } from '../objects.ts';
import { fields, jsonLine, print } from '../output.ts';
import { table } from '../table.ts';

/** A program as bpftool's JSON has it. */
export function progJson(fd: HasFd): Record<string, unknown> {
  const info = progGetInfo(fd);
  return {
    id: info.id,
    type: info.type,
    ...(info.name && { name: info.name }),
    tag: info.tag,
    gpl_compatible: info.gplCompatible,
    ...(info.runCnt > 0n && { run_time_ns: info.runTimeNs, run_cnt: info.runCnt }),
    ...(info.recursionMisses > 0n && { recursion_misses: info.recursionMisses }),
    loaded_at: loadedAt(info),
    uid: info.createdByUid,
    bytes_xlated: info.xlatedLength,
    jited: info.jitedLength > 0,
    ...(info.jitedLength > 0 && { bytes_jited: info.jitedLength }),
    bytes_memlock: fdinfo(fd, 'memlock') ?? 0,
    ...(info.mapIds.length > 0 && { map_ids: info.mapIds }),
    ...(info.btfId > 0 && { btf_id: info.btfId }),
  };
}

/** Seconds since 1970. */
function loadedAt({ loadTime }: ProgInfo): number {
  return Math.round(Date.now() / 1000 - uptime() + Number(loadTime) / 1e9);
}

/** `bpf prog list`. */
export async function listProgs(options: { readonly json?: true }): Promise<void> {
  const all = [...eachObject('program', progJson)];
  if (options.json) return print(all.map(jsonLine));
  const rows = all.map(({ id, type, name, tag, bytes_xlated, map_ids }) => [
    Number(id),
    String(type),
    String(name ?? ''),
    String(tag),
    Number(bytes_xlated) / 8,
    (map_ids as number[] | undefined)?.join(' ') ?? '',
  ]);
  const columns = [{ head: 'ID', align: 'right' }, { head: 'TYPE' }, { head: 'NAME' }, { head: 'TAG' }] as const;
  return print(table([...columns, { head: 'INSNS', align: 'right' }, { head: 'MAPS' }], rows));
}

/** `bpf prog show`: one, field by field. */
export async function showProg(argument: string, options: { readonly json?: true }): Promise<void> {
  using prog = openProg(argument);
  const json = progJson(prog);
  return print([options.json ? jsonLine(json) : fields(json)]);
}

export const openProg = (argument: string): Fd => openObject('program', argument, (fd) => progGetInfo(fd).name);
