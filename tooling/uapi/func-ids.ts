import { kernelBtf } from '@bpf/programs';

const PREFIX = 'BPF_FUNC_';

/** The names of the running kernel's `enum bpf_func_id` by number: 'unspec', 'map_lookup_elem' and so on. */
export function readFuncIds(): string[] {
  const btf = kernelBtf();
  const id = btf.find('enum', 'bpf_func_id');
  const type = id === undefined ? undefined : btf.type(id);
  if (type?.kind !== 'enum') throw new Error("this kernel's BTF has no enum bpf_func_id");
  const names: string[] = [];
  // The last value, __BPF_FUNC_MAX_ID, is no helper.
  for (const { name, value } of type.values) if (name.startsWith(PREFIX)) names[value] = name.slice(PREFIX.length);
  return names;
}
