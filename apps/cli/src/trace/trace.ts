import { kernelBtf } from '@bpf/programs';
import { traceCounts } from './count.ts';
import { traceEvents } from './events.ts';
import { traceLatency } from './latency.ts';
import { plan } from './plan.ts';
import { readTraceable, selectFunctions } from './select.ts';

interface Options {
  readonly exit?: true;
  readonly args?: readonly string[];
  readonly ret?: true;
  readonly pid?: number;
  readonly comm?: string;
  readonly stack?: true;
  readonly count?: true;
  readonly by: 'function' | 'comm';
  readonly latency?: true;
  readonly duration?: number;
  readonly limit?: number;
  readonly json?: true;
}

/** `bpf trace`. */
export async function trace(functions: readonly string[], options: Options): Promise<void> {
  const { args, ret = false, pid, comm, duration, limit, by } = options;
  const btf = kernelBtf();
  const traced = plan(btf, selectFunctions(btf, functions, readTraceable()), args, ret);
  const at = options.exit || ret ? 'exit' : 'entry';
  const common = { pid, comm, duration, json: options.json ?? false };
  if (options.latency) return traceLatency(traced, common);
  if (options.count) return traceCounts(traced, { ...common, by, at });
  return traceEvents(btf, traced, { ...common, at, stack: options.stack ?? false, limit });
}
