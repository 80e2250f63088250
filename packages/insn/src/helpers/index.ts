import { arities, names } from './helpers.gen.ts';

// Built by the first question. Number 0 is `unspec`, and no helper.
let byId: readonly (string | undefined)[] | undefined;
let byName: ReadonlyMap<string | undefined, number> | undefined;

function helpers(): readonly (string | undefined)[] {
  byId ??= names.split(' ').map((name, id) => (id === 0 ? undefined : `bpf_${name}`));
  return byId;
}

/**
 * The number of a kernel helper, for `call`, by the name that the kernel's documentation has it under; undefined when there
 * is none of that name. All of `enum bpf_func_id`: it grows no more, newer kernels add kfuncs instead.
 *
 * @example
 * ```ts
 * helperId('bpf_map_lookup_elem'); // 1
 * helperId('bpf_map_lookup'); // undefined
 * ```
 */
export function helperId(name: string): number | undefined {
  byName ??= new Map(helpers().map((helper, id) => [helper, id]));
  return byName.get(name);
}

/**
 * The name of a kernel helper by its number; undefined when there is none with that number.
 *
 * @example
 * ```ts
 * helperName(127); // 'bpf_seq_write'
 * helperName(0); // undefined
 * ```
 */
export function helperName(id: number): string | undefined {
  return helpers()[id];
}

/**
 * How many arguments, in r1..r5, a helper takes: 0 to 5. Of those with a variable number, such as `bpf_trace_printk`, how
 * many it takes at least. Undefined when there is no helper with that number.
 *
 * @example
 * ```ts
 * helperArity(127); // 3: bpf_seq_write(m, data, len)
 * ```
 */
export function helperArity(id: number): number | undefined {
  return helperName(id) === undefined ? undefined : Number(arities[id]);
}
