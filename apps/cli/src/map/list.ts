import { type BpfMap, openMap, openMapByBtf } from '@bpf/maps';
import { eachObject } from '@bpf/programs';
import { type Fd, type HasFd, mapGetInfo } from '@bpf/sys';
import { fdinfo, openObject } from '../objects.ts';
import { fields, jsonLine, print } from '../output.ts';
import { table } from '../table.ts';

/** A map as bpftool's JSON has it. */
export function mapJson(fd: HasFd): Record<string, unknown> {
  const info = mapGetInfo(fd);
  return {
    id: info.id,
    type: info.type,
    ...(info.name && { name: info.name }),
    flags: info.flags,
    bytes_key: info.keySize,
    bytes_value: info.valueSize,
    max_entries: info.maxEntries,
    bytes_memlock: fdinfo(fd, 'memlock') ?? 0,
    frozen: fdinfo(fd, 'frozen') ?? 0,
    ...(info.btfId > 0 && { btf_id: info.btfId }),
  };
}

/** `bpf map list`. */
export async function listMaps(options: { readonly json?: true }): Promise<void> {
  const all = [...eachObject('map', mapJson)];
  if (options.json) return print(all.map(jsonLine));
  const rows = all.map(({ id, type, name, bytes_key, bytes_value, max_entries }) => [
    Number(id),
    String(type),
    String(name ?? ''),
    Number(bytes_key),
    Number(bytes_value),
    Number(max_entries),
  ]);
  const right = (head: string) => ({ head, align: 'right' }) as const;
  const columns = [right('ID'), { head: 'TYPE' }, { head: 'NAME' }, right('KEY'), right('VALUE'), right('ENTRIES')];
  return print(table(columns, rows));
}

/** `bpf map show`. */
export async function showMap(argument: string, options: { readonly json?: true }): Promise<void> {
  using map = openMapFd(argument);
  const json = mapJson(map);
  return print([options.json ? jsonLine(json) : fields(json)]);
}

export const openMapFd = (argument: string): Fd => openObject('map', argument, (fd) => mapGetInfo(fd).name);

/** Takes over a descriptor: a map with keys and values as its BTF says, or as bytes. */
export function openTyped(fd: Fd): BpfMap {
  const { type, btfId } = mapGetInfo(fd);
  const place = { fd: fd.disown() };
  return btfId === 0 ? openMap({ ...place, type }) : openMapByBtf(place);
}
