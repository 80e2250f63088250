// What kernels have and have not, as far as tests need it: each feature with a probe that tries it.
export * from './features/cgroup.ts';
export * from './features/isa.ts';
export * from './features/know.ts';
export * from './features/maps.ts';
export * from './features/net.ts';
export * from './features/perf.ts';
export * from './features/probe.ts';
export * from './features/struct-ops.ts';
export * from './features/tracing.ts';
