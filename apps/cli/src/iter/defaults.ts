import type { IterTarget } from '@bpf/dsl-iter';

/** The object that a target's fields are those of, unless they begin with the name of another. */
export const elements: Readonly<Record<IterTarget, string>> = {
  task: 'task',
  task_file: 'file',
  task_vma: 'vma',
  bpf_map: 'map',
  bpf_map_elem: 'map',
  bpf_sk_storage_map: 'sk',
  sockmap: 'sk',
  bpf_prog: 'prog',
  bpf_link: 'link',
  tcp: 'sk_common',
  udp: 'udp_sk',
  unix: 'unix_sk',
  netlink: 'sk',
  ipv6_route: 'rt',
  ksym: 'ksym',
  cgroup: 'cgroup',
  kmem_cache: 's',
  dmabuf: 'dmabuf',
};

const SOCK = ['skc_family', 'skc_state', 'skc_rcv_saddr', 'skc_num', 'skc_daddr', 'skc_dport'];

/** What is shown of each target without --fields: those that this kernel has. */
export const defaultFields: Readonly<Record<IterTarget, readonly string[]>> = {
  task: ['pid', 'tgid', 'real_parent.tgid', 'comm'],
  task_file: ['task.tgid', 'task.comm', 'fd', 'f_inode.i_ino', 'f_path.dentry.d_name.name'],
  task_vma: ['task.tgid', 'vm_start', 'vm_end', 'vm_flags', 'vm_file.f_path.dentry.d_name.name'],
  bpf_map: ['id', 'map_type', 'name', 'key_size', 'value_size', 'max_entries'],
  bpf_map_elem: [],
  bpf_sk_storage_map: ['__sk_common.skc_family', '__sk_common.skc_num'],
  sockmap: ['__sk_common.skc_family', '__sk_common.skc_num'],
  bpf_prog: ['aux.id', 'type', 'aux.name', 'len'],
  bpf_link: ['id', 'type', 'prog.aux.id', 'prog.aux.name'],
  tcp: SOCK,
  udp: SOCK.map((field) => `inet.sk.__sk_common.${field}`),
  unix: ['sk.__sk_common.skc_state', 'sk.sk_type', 'addr.name[0].sun_path'],
  netlink: ['sk.sk_protocol', 'portid', 'groups'],
  ipv6_route: ['fib6_dst.addr', 'fib6_dst.plen', 'fib6_metric', 'fib6_flags'],
  ksym: ['value', 'type', 'name', 'module_name'],
  cgroup: ['kn.id', 'level', 'kn.name'],
  kmem_cache: ['name', 'object_size', 'size', 'flags'],
  dmabuf: ['size', 'exp_name', 'name'],
};
