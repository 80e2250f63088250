import type { Btf } from '@bpf/btf';

/** Where a field of the kernel's user API lies, and what it is: `[28, 'char[16]']`. */
export type Field = readonly [offset: number, type: string];

export interface StructLayout {
  /** Up to the end of the last field: what bpf(2) is told as the length. */
  readonly bytes: number;
  readonly fields: Readonly<Record<string, Field>>;
}

/** What a kernel says, in its BTF, of the structures and numbers that bpf(2) is about. */
export interface Uapi {
  readonly structs: Readonly<Record<string, StructLayout>>;
  /** Names and numbers, each enum's by the kernel's spelling. */
  readonly enums: Readonly<Record<string, Readonly<Record<string, number>>>>;
}

/** Those members of `union bpf_attr` that have no name of their own: a name for each, and a field to know it by. */
const UNNAMED_ATTRS: Readonly<Record<string, string>> = {
  map_type: 'map_create',
  key: 'map_elem',
  prog_type: 'prog_load',
  pathname: 'obj',
  attach_bpf_fd: 'prog_attach',
  next_id: 'get_id',
  btf: 'btf_load',
};
const ENUMS = [
  'bpf_cmd',
  'bpf_map_type',
  'bpf_prog_type',
  'bpf_attach_type',
  'bpf_link_type',
  'bpf_cgroup_iter_order',
  'bpf_stats_type',
  'bpf_task_fd_type',
];
/** Enums without a name, known by one of theirs. */
const UNNAMED_ENUMS: Readonly<Record<string, string>> = {
  map_flags: 'BPF_F_NO_PREALLOC',
};
const INFOS = ['bpf_map_info', 'bpf_prog_info', 'bpf_btf_info', 'bpf_link_info'];

/** Reads them. An older kernel has fewer fields and names; a struct or enum that it lacks is left out. */
export function describeUapi(btf: Btf): Uapi {
  const structs: Record<string, StructLayout> = {};
  const unionId = btf.find('union', 'bpf_attr');
  const union = unionId === undefined ? undefined : btf.type(unionId);
  if (union?.kind !== 'union') throw new Error("this kernel's BTF has no union bpf_attr");
  for (const { name, typeId } of union.members) {
    const layout = describeStruct(btf, typeId);
    const unnamed = Object.keys(UNNAMED_ATTRS).find((field) => Object.hasOwn(layout.fields, field));
    const known = name || UNNAMED_ATTRS[unnamed ?? ''];
    if (!known) throw new Error(`a member of union bpf_attr has no name: ${Object.keys(layout.fields).join(' ')}`);
    structs[known] = layout;
  }
  for (const name of INFOS) {
    const id = btf.find('struct', name);
    if (id !== undefined) structs[name] = describeStruct(btf, id);
  }
  const iterInfo = btf.find('union', 'bpf_iter_link_info');
  if (iterInfo !== undefined) structs.bpf_iter_link_info = describeStruct(btf, iterInfo);

  const enums: Record<string, Record<string, number>> = {};
  for (const type of btf.all('enum')) {
    const known = type.name
      ? ENUMS.find((name) => name === type.name)
      : Object.keys(UNNAMED_ENUMS).find((name) => type.values.some((value) => value.name === UNNAMED_ENUMS[name]));
    if (known === undefined) continue;
    // Those that begin with two underlines are the ends, and move.
    const values = type.values.filter((value) => !value.name.startsWith('__'));
    enums[known] = Object.fromEntries(values.map((value) => [value.name, value.value]));
  }
  return { structs, enums };
}

function describeStruct(btf: Btf, id: number): StructLayout {
  const fields: Record<string, Field> = {};
  let bytes = 0;
  const add = (structId: number, base: number, prefix: string): void => {
    const type = btf.type(btf.resolve(structId));
    if (type.kind !== 'struct' && type.kind !== 'union') throw new Error(`type ${structId} is not a struct`);
    for (const member of type.members) {
      const offset = base + Math.floor(member.bitOffset / 8);
      const memberType = btf.type(btf.resolve(member.typeId));
      const path = member.name ? `${prefix}${member.name}` : prefix;
      if (memberType.kind === 'struct' || memberType.kind === 'union') {
        add(member.typeId, offset, member.name ? `${path}.` : prefix);
        continue;
      }
      fields[path] = [offset, member.bitSize ? `bits:${member.bitSize}` : fieldType(btf, member.typeId)];
      bytes = Math.max(bytes, offset + btf.sizeOf(member.typeId));
    }
  };
  add(id, 0, '');
  return { bytes, fields };
}

function fieldType(btf: Btf, id: number): string {
  const type = btf.type(btf.resolve(id));
  if (type.kind === 'array') {
    const element = btf.type(btf.resolve(type.typeId));
    return `${element.kind === 'int' && element.name === 'char' ? 'char' : fieldType(btf, type.typeId)}[${type.length}]`;
  }
  if (type.kind === 'enum') return 'u32';
  if (type.kind !== 'int') throw new Error(`a field of kind ${type.kind} is not expected`);
  return `${type.encoding === 'signed' ? 's' : 'u'}${type.size * 8}`;
}
