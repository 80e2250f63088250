import { encodeBtf } from '@bpf/btf/build';
import { btfLoad, type HasFd, linkCreate, type MapFd, mapCreate, mapDeleteElem, mapUpdateElem } from '@bpf/sys';
import { Link } from '../link.ts';
import { structOps } from '../struct-ops.ts';
import { linkElse } from './make.ts';

/** What a member is: a program for a function, text or bytes for an array, or an integer. */
export type StructOpsMember = HasFd | string | Uint8Array | number;

const KEY = new Uint8Array(4);

/**
 * Gives the kernel a structure of functions that are programs of type struct_ops, such as a congestion control of TCP.
 * Linux 5.6: by a link since 6.4, else by BPF_MAP_UPDATE_ELEM, where closing the link takes it back, and the end of the
 * process does not.
 *
 * @param name of the structure, one of the kernel itself: 'tcp_congestion_ops'
 * @param members by their names; those that are left out are zero
 * @param options.how 'BPF_MAP_UPDATE_ELEM' for the older way
 * @throws ProgramError `NO_TARGET` for a structure or member that there is not; RangeError for a member that does not fit;
 *   SysError 'EEXIST' when there is one of its name, 'EINVAL' when it lacks what the kernel wants; UnavailableError
 * @example
 * ```ts
 * using link = attachStructOps('tcp_congestion_ops', { ssthresh, undo_cwnd, cong_avoid, name: 'bpf_mine' });
 * ```
 */
export function attachStructOps(
  name: string,
  members: Readonly<Record<string, StructOpsMember>>,
  { how }: { readonly how?: 'BPF_MAP_UPDATE_ELEM' } = {},
): Link {
  const ops = structOps(name);
  const value = new Uint8Array(ops.valueBytes);
  for (const [member, content] of Object.entries(members)) {
    const { offset, size } = ops.member(member);
    value.set(encode(`${name}.${member}`, content, size), ops.dataOffset + offset);
  }
  const byLink = (): Link => {
    // A link holds its map.
    using map = makeMap(ops, true);
    mapUpdateElem(map, KEY, value);
    return new Link('BPF_LINK_CREATE', linkCreate({ map, attachType: 'struct_ops' }));
  };
  const byUpdate = (): Link => {
    const map = makeMap(ops, false);
    try {
      mapUpdateElem(map, KEY, value);
      return new Link('BPF_MAP_UPDATE_ELEM', undefined, { detach: () => void mapDeleteElem(map, KEY), owns: [map] });
    } catch (error) {
      map.close();
      throw error;
    }
  };
  return how ? byUpdate() : linkElse(byLink, byUpdate);
}

function makeMap({ valueTypeId, valueBytes }: ReturnType<typeof structOps>, link: boolean): MapFd {
  // The kernel wants types of the map's own, and looks at none of them.
  const int = { kind: 'int', name: 'int', size: 4, bits: 32, bitOffset: 0, encoding: 'signed' } as const;
  using btf = btfLoad(encodeBtf([int]));
  return mapCreate({
    type: 'struct_ops',
    keySize: 4,
    valueSize: valueBytes,
    maxEntries: 1,
    btf,
    btfVmlinuxValueTypeId: valueTypeId,
    ...(link && { flags: ['link'] }),
  });
}

function encode(what: string, content: StructOpsMember, size: number): Uint8Array {
  const bytes = typeof content === 'string' ? new TextEncoder().encode(`${content}\0`) : content;
  if (bytes instanceof Uint8Array) {
    if (bytes.byteLength <= size) return bytes;
    throw new RangeError(`${what} has ${bytes.byteLength} bytes, and room for ${size}`);
  }
  const number = typeof bytes === 'number' ? bytes : bytes.fd;
  if (!Number.isSafeInteger(number) || number < 0 || number >= 2 ** (8 * size))
    throw new RangeError(`${what} is ${number}; it must be an integer of ${size} bytes`);
  return new Uint8Array(BigUint64Array.of(BigInt(number)).buffer, 0, Math.min(size, 8));
}
