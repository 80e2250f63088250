/** Who kernel tests run as, one after the other, and how that is called. */
export const profiles = {
  root: 'as root',
  caps: 'with CAP_BPF and CAP_PERFMON only',
  none: 'without capabilities',
} as const;

export type Profile = keyof typeof profiles;
export const PROFILES: readonly Profile[] = ['root', 'caps', 'none'];

/** Arguments of util-linux's setpriv that leave a process with the capabilities of a profile, and no way to more. */
export function setprivArguments(profile: Profile): string[] {
  const kept = profile === 'caps' ? '-all,+bpf,+perfmon' : '-all';
  return [`--bounding-set=${kept}`, `--inh-caps=${kept}`];
}
