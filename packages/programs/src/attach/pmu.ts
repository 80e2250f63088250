import { readFileSync } from 'node:fs';
import { UnavailableError } from '@bpf/sys';

const PMUS = '/sys/bus/event_source/devices';

/**
 * The `config` of an event of the PMUs kprobe and uprobe: the bit that its format file names for a probe on return.
 * Linux 4.17.
 *
 * @throws UnavailableError when the kernel has no such PMU
 */
export function probeConfig(pmu: 'kprobe' | 'uprobe', retprobe: boolean): bigint {
  let format: string;
  try {
    format = readFileSync(`${PMUS}/${pmu}/format/retprobe`, 'utf8');
  } catch (cause) {
    const option = pmu === 'kprobe' ? 'CONFIG_KPROBE_EVENTS=y' : 'CONFIG_UPROBE_EVENTS=y';
    throw new UnavailableError(
      `This kernel has no ${pmu}s: there is no ${PMUS}/${pmu}, for which it needs ${option}.`,
      {
        cause,
      },
    );
  }
  const [, bit] = format.match(/^config:(\d+)$/m) ?? [];
  if (bit === undefined)
    throw new UnavailableError(`${PMUS}/${pmu}/format/retprobe holds '${format.trim()}', not a bit of config.`);
  return retprobe ? 1n << BigInt(bit) : 0n;
}
