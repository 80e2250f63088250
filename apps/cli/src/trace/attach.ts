import type { FentryInfo } from '@bpf/dsl-fentry';
import { attach, type Link, loadProgram, type Program, ProgramError } from '@bpf/programs';
import { progGetInfo, SysError, UnavailableError } from '@bpf/sys';
import { createGuard, missedBy } from './guard.ts';
import type { Traced } from './plan.ts';

/** Programs that are attached, until they are closed. */
export interface Attached extends Disposable {
  readonly functions: readonly Traced[];
  /** The functions of patterns that the kernel refused. */
  readonly refused: readonly string[];
  /** Calls that no program saw, as one ran on that CPU already. */
  missed(): bigint;
}

/** The maps of the programs, by name. */
export type Maps = Readonly<Record<string, { readonly fd: number }>>;

/**
 * Loads and attaches the programs of each function. Those of a pattern that the kernel refuses are left out.
 *
 * @throws the refusal of a function that was named, or of the last when none is left; UnavailableError
 */
export function attachAll(
  traced: readonly Traced[],
  make: (one: Traced) => readonly FentryInfo[],
  maps: Maps,
): Attached {
  const guard = createGuard();
  const programs: Program[] = [];
  const links: Link[] = [];
  const functions: Traced[] = [];
  const refused: string[] = [];
  // Links first: no program goes while it may run.
  const close = (): void => {
    for (const one of [...links, ...programs, guard]) one.close();
  };
  let refusal: unknown;
  try {
    for (const one of traced) {
      const own: (Program | Link)[] = [];
      try {
        for (const info of make(one)) {
          const program = loadProgram(info, { maps: { ...maps, guard } });
          own.push(program);
          own.push(attach(program));
        }
        for (const object of own) ('spec' in object ? programs : links).push(object as Program & Link);
        functions.push(one);
      } catch (error) {
        for (const object of own.reverse()) object.close();
        if (one.named || !isRefusal(error)) throw error;
        refusal = error;
        refused.push(one.func.name);
      }
    }
    if (functions.length === 0) throw refusal;
  } catch (error) {
    close();
    throw error;
  }
  const missed = (): bigint =>
    programs.reduce((sum, program) => sum + progGetInfo(program).recursionMisses, missedBy(guard));
  return { functions, refused, missed, [Symbol.dispose]: close };
}

/** What the kernel says of one function, and not of all. */
function isRefusal(error: unknown): boolean {
  return !(error instanceof UnavailableError) && (error instanceof SysError || error instanceof ProgramError);
}
