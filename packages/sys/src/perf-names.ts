import { readFileSync } from 'node:fs';
import { UnavailableError } from './error.ts';
import { mountOf } from './mounts.ts';

/** `type` of struct perf_event_attr, for those whose number is fixed. */
const perfTypes: Readonly<Record<string, number>> = {
  hardware: 0,
  software: 1,
  tracepoint: 2,
  hw_cache: 3,
  raw: 4,
  breakpoint: 5,
};

const PMUS = '/sys/bus/event_source/devices';

/**
 * The number of a type of perf event: a fixed one, or that of a PMU, which is this machine's own.
 *
 * @throws UnavailableError when this machine has no such PMU
 * @internal
 */
export function perfType(name: string): number {
  if (Object.hasOwn(perfTypes, name)) return perfTypes[name] as number;
  const id = /^[\w.-]+$/.test(name) ? readNumber(`${PMUS}/${name}/type`) : undefined;
  if (id !== undefined) return id;
  throw new UnavailableError(
    `This machine has no perf events of type '${name}': there are ${Object.keys(perfTypes).join(', ')}, and those of ${PMUS}.`,
    { code: 'ENOENT', syscall: 'perf_event_open' },
  );
}

/**
 * The number of a tracepoint, which is the `config` of its perf event, from events/CATEGORY/NAME/id of tracefs. Any Linux,
 * usually as root only.
 *
 * @throws UnavailableError when tracefs is not mounted or not to be read, or has no such tracepoint
 * @example
 * ```ts
 * using event = perfEventOpen({ type: 'tracepoint', config: tracepointId('sched', 'sched_switch') });
 * ```
 */
export function tracepointId(category: string, name: string): number {
  for (const part of [category, name])
    if (!/^[\w-]+$/.test(part))
      throw new RangeError(`'${part}' cannot be in the name of a tracepoint, such as 'sched', 'sched_switch'`);
  const facts = { code: 'ENOENT', syscall: 'perf_event_open' };
  const tracefs = mountOf('tracefs');
  if (tracefs === undefined)
    throw new UnavailableError(
      'Tracepoints have their numbers in tracefs, which is not mounted: mount -t tracefs tracefs /sys/kernel/tracing.',
      facts,
    );
  const path = `${tracefs}/events/${category}/${name}/id`;
  const id = readNumber(path);
  if (id !== undefined) return id;
  throw new UnavailableError(
    `${path} cannot be read: this kernel has no such tracepoint, or this process may not see it.`,
    facts,
  );
}

function readNumber(path: string): number | undefined {
  try {
    return Number.parseInt(readFileSync(path, 'utf8'), 10);
  } catch {
    return undefined;
  }
}
