/**
 * The first series of the matrix that is known to have a feature. A test of it that is skipped from there on
 * is an error: it would hide that the feature, or its probe, broke. Extend it as the matrix shows more.
 */
export const FIRST_SERIES: Readonly<Record<string, string>> = {
  cgroup_skb: '5.10',
  fentry: '5.10',
  fexit: '5.10',
  iter: '5.10',
  kprobe: '5.10',
  lsm: '5.10',
  raw_tracepoint: '5.10',
  ringbuf: '5.10',
  tp_btf: '5.10',
  tracepoint: '5.10',
  uprobe: '5.10',
  xdp: '5.10',
  kprobe_multi: '6.12',
  netfilter: '6.12',
  tcx: '6.12',
};
