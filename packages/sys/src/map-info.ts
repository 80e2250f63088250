import { openAttr, readField } from './attr.ts';
import { callOrThrow } from './bpf.ts';
import { nameOf } from './check.ts';
import type { HasFd } from './fd.ts';
import { requireKind } from './fd-kind.ts';
import { withScope } from './memory.ts';
import { mapTypes, structs } from './uapi.gen.ts';

/** A map type by libbpf's name. */
export type MapType = keyof typeof mapTypes;

/** What the kernel says of a map (`struct bpf_map_info`). Sizes in bytes. */
export interface MapInfo {
  /** A number when it is a type that this package has no name for. */
  readonly type: MapType | number;
  readonly id: number;
  readonly keySize: number;
  /** Of one CPU, for a per-CPU map. */
  readonly valueSize: number;
  readonly maxEntries: number;
  /** Those of BPF_MAP_CREATE, as bits. */
  readonly flags: number;
  readonly name: string;
  /** The BTF object with the types of key and value, 0 for none. */
  readonly btfId: number;
  readonly btfKeyTypeId: number;
  readonly btfValueTypeId: number;
  /** The kernel's own type, for a struct_ops map. */
  readonly btfVmlinuxValueTypeId: number;
  /** What the type makes of it: a bloom filter's number of hashes, an arena's address. Linux 5.16. */
  readonly mapExtra: bigint;
  readonly ifindex: number;
}

const INFO = 'bpf_map_info';

/**
 * BPF_OBJ_GET_INFO_BY_FD of a map. Linux 4.13.
 *
 * @throws SysError 'EINVAL' when the descriptor is no BPF object; TypeError when it is one, but not a map
 */
export function mapGetInfo(map: HasFd): MapInfo {
  requireKind(map, 'map');
  return withScope((scope) => {
    const { bytes } = structs[INFO];
    const info = scope.alloc(bytes);
    callOrThrow(openAttr(scope, 'BPF_OBJ_GET_INFO_BY_FD', { bpf_fd: map.fd, info_len: bytes, info: info.address }));
    const get = <Field extends keyof (typeof structs)[typeof INFO]['fields']>(field: Field) =>
      readField(INFO, info.view, field);
    return {
      type: nameOf(mapTypes, get('type')),
      id: get('id'),
      keySize: get('key_size'),
      valueSize: get('value_size'),
      maxEntries: get('max_entries'),
      flags: get('map_flags'),
      name: get('name'),
      btfId: get('btf_id'),
      btfKeyTypeId: get('btf_key_type_id'),
      btfValueTypeId: get('btf_value_type_id'),
      btfVmlinuxValueTypeId: get('btf_vmlinux_value_type_id'),
      mapExtra: get('map_extra'),
      ifindex: get('ifindex'),
    };
  });
}
