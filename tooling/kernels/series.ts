// The names of the matrix's kernels: `6.12` is for x64, `6.12-arm64` for arm64.

/** As Node calls them. */
export type Arch = 'x64' | 'arm64';
const ARCHES: readonly Arch[] = ['x64', 'arm64'];

/** Debian's kernels for virtual machines, and where its libraries lie. */
export const FLAVOURS: Readonly<Record<Arch, string>> = { x64: 'cloud-amd64', arm64: 'cloud-arm64' };
export const TRIPLETS: Readonly<Record<Arch, string>> = { x64: 'x86_64-linux-gnu', arm64: 'aarch64-linux-gnu' };

export function archOf(series: string): Arch {
  return series.endsWith('-arm64') ? 'arm64' : 'x64';
}

/** `linux-image-6.12.117+deb13-cloud-amd64` is of the series `6.12`. */
export function seriesOf(name: string): string {
  const number = /-(\d+\.\d+)/.exec(name)?.[1] ?? '';
  return name.includes(FLAVOURS.arm64) ? `${number}-arm64` : number;
}

/** Whether a series is what was wanted, which may be `7.x` or `7.x-arm64`. */
export function fits(series: string, wanted: string): boolean {
  const [major = '', rest] = wanted.split('x');
  if (rest === undefined) return series === wanted;
  return series.startsWith(major) && archOf(series) === archOf(wanted);
}

/** Negative when `a` is the older one, or the one for x64. */
export function compareSeries(a: string, b: string): number {
  const [majorA = 0, minorA = 0] = a.split(/[.-]/).map(Number);
  const [majorB = 0, minorB = 0] = b.split(/[.-]/).map(Number);
  return ARCHES.indexOf(archOf(a)) - ARCHES.indexOf(archOf(b)) || majorA - majorB || minorA - minorB;
}
