/**
 * What the program of each iterator finds in its context, `struct bpf_iter__X`: the byte offset of every field. A field
 * takes 8 bytes, in the order of the arguments of the kernel's function `bpf_iter_X`. Checked against the BTF of real
 * kernels by this package's tests.
 *
 * Since Linux 5.8: task, task_file, bpf_map, netlink, ipv6_route; 5.9: bpf_map_elem, bpf_prog, bpf_sk_storage_map, tcp,
 * udp; 5.10: sockmap; 5.12: task_vma; 5.15: unix; 5.19: bpf_link; 6.0: ksym; 6.1: cgroup; kmem_cache and dmabuf are newer.
 */
export const iterTargets = {
  task: { meta: 0, task: 8 },
  task_file: { meta: 0, task: 8, fd: 16, file: 24 },
  task_vma: { meta: 0, task: 8, vma: 16 },
  bpf_map: { meta: 0, map: 8 },
  bpf_map_elem: { meta: 0, map: 8, key: 16, value: 24 },
  bpf_sk_storage_map: { meta: 0, map: 8, sk: 16, value: 24 },
  sockmap: { meta: 0, map: 8, key: 16, sk: 24 },
  bpf_prog: { meta: 0, prog: 8 },
  bpf_link: { meta: 0, link: 8 },
  tcp: { meta: 0, sk_common: 8, uid: 16 },
  udp: { meta: 0, udp_sk: 8, uid: 16, bucket: 24 },
  unix: { meta: 0, unix_sk: 8, uid: 16 },
  netlink: { meta: 0, sk: 8 },
  ipv6_route: { meta: 0, rt: 8 },
  ksym: { meta: 0, ksym: 8 },
  cgroup: { meta: 0, cgroup: 8 },
  kmem_cache: { meta: 0, s: 8 },
  dmabuf: { meta: 0, dmabuf: 8 },
} as const;

/** What an iterator can go through. */
export type IterTarget = keyof typeof iterTargets;

/**
 * The names of each target in the kernel's BTF: the struct of its context, and the function whose id is the
 * `attach_btf_id` of its programs.
 */
export const iteratorTypes: {
  readonly [Target in IterTarget]: {
    readonly contextStruct: `bpf_iter__${Target}`;
    readonly attachFunc: `bpf_iter_${Target}`;
  };
} = /* @__PURE__ */ namesOf(iterTargets);

function namesOf(targets: object): typeof iteratorTypes {
  const names = Object.keys(targets).map((target) => [
    target,
    { contextStruct: `bpf_iter__${target}`, attachFunc: `bpf_iter_${target}` },
  ]);
  return Object.fromEntries(names) as typeof iteratorTypes;
}

/** The fields of this target's context. */
export type IterField<Target extends IterTarget> = keyof (typeof iterTargets)[Target] & string;

/** The fields that are 32-bit numbers; all others are pointers. */
export const scalarFields: ReadonlySet<string> = new Set(['fd', 'uid', 'bucket']);

/** Byte offsets in `struct bpf_iter_meta`, the same for every target: three u64. */
export const metaFields = { seq: 0, session_id: 8, seq_num: 16 } as const;
export type MetaField = keyof typeof metaFields;
