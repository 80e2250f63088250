/** What programs run at, by libbpf's word for it in section names, and the attach type of each (24, 25, 26 and 23). */
export const attachTypes = {
  /** The entry of a kernel function. */
  fentry: 'trace_fentry',
  /** Its return. */
  fexit: 'trace_fexit',
  /** Before it, and perhaps instead of it. */
  fmod_ret: 'modify_return',
  /** A tracepoint, whose programs get their arguments in the same way. */
  tp_btf: 'trace_raw_tp',
} as const;

/** Where a program runs. */
export type FentryKind = keyof typeof attachTypes;

/** The program type of each: all are tracing programs (26). */
export const progTypes: { readonly [K in FentryKind]: 'tracing' } = {
  fentry: 'tracing',
  fexit: 'tracing',
  fmod_ret: 'tracing',
  tp_btf: 'tracing',
};
