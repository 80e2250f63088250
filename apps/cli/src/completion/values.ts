import type { Btf, BtfKind } from '@bpf/btf';
import { eachObject, kernelBtf } from '@bpf/programs';
import { linkGetInfo, mapGetInfo, progGetInfo } from '@bpf/sys';
import type { Candidate, Values } from './candidates.ts';

/** What this machine has. What cannot be asked, for want of privilege or of BTF, is an error. */
export const values: Values = {
  map: () => byIdAndName(eachObject('map', mapGetInfo)),
  prog: () => byIdAndName(eachObject('program', progGetInfo)),
  link: () =>
    [...eachObject('link', linkGetInfo)].map(({ id, type, progId }) => ({
      value: String(id),
      description: `${type}, of program ${progId}`,
    })),
  target: () => [
    { value: 'list', description: 'what this kernel has' },
    ...kernelBtf()
      .iterTargets()
      .map(({ name, fields }) => ({ value: name, description: fields.map((field) => field.name).join(' ') })),
  ],
  type: (prefix) => named(['struct', 'union', 'enum', 'typedef'], prefix),
  function: (prefix) => named(['func'], prefix),
  'map-type': () => enumerators('bpf_map_type', 'BPF_MAP_TYPE_'),
  'prog-type': () => enumerators('bpf_prog_type', 'BPF_PROG_TYPE_'),
  'attach-type': () => enumerators('bpf_attach_type', 'BPF_'),
};

function byIdAndName(
  all: Iterable<{ readonly id: number; readonly name: string; readonly type: string | number }>,
): Candidate[] {
  return [...all].flatMap(({ id, name, type }) => [
    ...(name ? [{ value: name, description: `${id}, ${type}` }] : []),
    { value: String(id), description: name ? `${type} ${name}` : String(type) },
  ]);
}

/** There are a hundred thousand names: nothing is said before some letters are there. */
function* named(kinds: readonly BtfKind[], prefix: string): Generator<Candidate> {
  if (prefix === '') return;
  const btf: Btf = kernelBtf();
  for (const kind of kinds)
    for (const { name } of btf.all(kind))
      if (name.startsWith(prefix) && name !== '') yield { value: name, description: kind };
}

/** The names of types as bpftool has them: BPF_MAP_TYPE_HASH is hash. */
function enumerators(name: string, prefix: string): Candidate[] {
  const btf = kernelBtf();
  const type = btf.type(btf.find('enum', name) ?? 0);
  if (type.kind !== 'enum') return [];
  return type.values
    .filter((value) => value.name.startsWith(prefix) && !/UNSPEC$|DEPRECATED$/.test(value.name))
    .map((value) => ({ value: value.name.slice(prefix.length).toLowerCase(), description: '' }));
}
