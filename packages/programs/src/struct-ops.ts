import type { BtfPlace } from '@bpf/btf';
import { UnavailableError } from '@bpf/sys';
import { ProgramError } from './error.ts';
import { kernelBtf } from './kernel-btf.ts';

/** A structure of functions that BPF programs can be, as the kernel's types tell of it. */
export interface StructOps {
  readonly typeId: number;
  /** That of the map's value, which has it behind what the kernel keeps there itself. */
  readonly valueTypeId: number;
  readonly valueBytes: number;
  readonly dataOffset: number;
  member(name: string): BtfPlace;
  /** The place of a member among all: what a program for it is attached as. */
  indexOf(member: string): number;
}

/** @throws ProgramError `NO_TARGET` when the kernel has no such structure, or it no such member; UnavailableError */
export function structOps(name: string): StructOps {
  const btf = kernelBtf();
  const valueName = `bpf_struct_ops_${name}`;
  const typeId = btf.find('struct', name);
  const valueTypeId = btf.find('struct', valueName);
  if (typeId === undefined || valueTypeId === undefined) {
    const any = btf.find('struct', 'bpf_struct_ops_tcp_congestion_ops');
    if (any === undefined)
      throw new UnavailableError('This kernel has no struct_ops programs for TCP: they need Linux 5.6 or newer.');
    throw new ProgramError(
      'NO_TARGET',
      `this kernel has no struct_ops '${name}' (no struct '${valueName}' in its BTF)`,
    );
  }
  const type = btf.type(typeId);
  const members = type.kind === 'struct' ? type.members.map((member) => member.name) : [];
  const indexOf = (member: string): number => {
    const index = members.indexOf(member);
    if (index >= 0) return index;
    throw new ProgramError(
      'NO_TARGET',
      `struct ${name} has no member '${member}'; its members are ${members.join(', ')}`,
    );
  };
  return {
    typeId,
    valueTypeId,
    valueBytes: btf.sizeOf(valueTypeId),
    dataOffset: btf.member(valueTypeId, 'data').offset,
    member(member) {
      indexOf(member);
      return btf.member(typeId, member);
    },
    indexOf,
  };
}
