/**
 * The number of arguments of each helper, by its name: from the prototypes that the comments of include/uapi/linux/bpf.h
 * hold, such as ` * long bpf_map_delete_elem(struct bpf_map *map, const void *key)`. Those that follow a fixed part
 * (`...`) do not count: a call may leave them out.
 */
export function parseArities(header: string): Map<string, number> {
  const arities = new Map<string, number>();
  for (const [, name = '', list = ''] of header.matchAll(/^ \* \w[\w *]*\b(bpf_\w+)\(([^()]*)\)$/gm)) {
    const args = list === 'void' ? [] : list.split(',').filter((arg) => arg.trim() !== '...');
    // Some have a prototype for each type of program.
    if ((arities.get(name) ?? args.length) !== args.length)
      throw new Error(`the prototypes of ${name} have ${arities.get(name)} and ${args.length} arguments`);
    arities.set(name, args.length);
  }
  return arities;
}
