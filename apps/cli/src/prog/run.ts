import { readFileSync } from 'node:fs';
import { runWants } from '@bpf/programs';
import { type ProgTestRunOptions, progGetInfo, progTestRun } from '@bpf/sys';
import { fields, jsonLine, print } from '../output.ts';
import { openProg } from './list.ts';

interface Options {
  readonly data?: string;
  readonly ctx?: string;
  readonly repeat?: number;
  readonly json?: true;
}

/** `bpf prog run`: once, or often, without attaching it. */
export async function runProg(argument: string, { data, ctx, repeat, json }: Options): Promise<void> {
  using prog = openProg(argument);
  const { type } = progGetInfo(prog);
  // Types that take a packet want one of at least the length of an Ethernet header.
  const packet =
    data !== undefined
      ? readFileSync(data)
      : runWants(type) === 'data' && ctx === undefined
        ? new Uint8Array(64)
        : undefined;
  const options: ProgTestRunOptions = {
    ...(packet && { data: packet }),
    ...(ctx !== undefined && { ctx: readFileSync(ctx) }),
    ...(repeat !== undefined && { repeat }),
  };
  const { retval, duration, data: out, dataSize } = progTestRun(prog, options);
  const result = { retval, duration_ns: duration, ...(dataSize > 0 && { data: Buffer.from(out).toString('hex') }) };
  return print([json ? jsonLine(result) : fields(result)]);
}
