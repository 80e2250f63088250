import { UnavailableError } from '@bpf/sys';

/** What test harnesses (automake, meson) take for "skipped": this machine cannot. */
const CANNOT = 77;

export function exitStatus(error: unknown): number {
  return error instanceof UnavailableError ? CANNOT : 1;
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
