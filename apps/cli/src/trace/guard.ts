import { struct, u64 } from '@bpf/btf/data';
import { mapLookup } from '@bpf/dsl-maps';
import { add, ja, jeq, label, ldx, type Program, st, stx } from '@bpf/insn';
import { type ArrayMap, createMap } from '@bpf/maps';

// Helpers are functions of the kernel, and call others that may be traced: a lock of the ring buffer, for one. A program that
// is started by what it does itself would do so without end: Linux 5.10 panics. Newer kernels see to it that a program does
// not run within itself, but one of those of this command would still run within another, and show what it does. So each CPU
// runs one of them at a time.

const Busy = struct({ running: u64, missed: u64 });
type Busy = { readonly running: bigint; readonly missed: bigint };

/** What the guard itself calls, before it knows. */
export const neededByGuard: ReadonlySet<string> = new Set(['percpu_array_map_lookup_elem', 'bpf_map_lookup_elem']);

/** Whether a program runs, on each CPU, and how many calls came meanwhile. */
export function createGuard(): ArrayMap<Busy[], readonly Busy[]> {
  return createMap({ type: 'percpu_array', value: Busy, maxEntries: 1, name: 'guard' });
}

/** The calls that came while a program ran. */
export function missedBy(guard: ArrayMap<Busy[], readonly Busy[]>): bigint {
  return guard.get(0).reduce((sum, { missed }) => sum + missed, 0n);
}

const lookup = (at: number): Program => [st('w', 'r10', at, 0), mapLookup('guard', at), jeq('r0', 0, 'out')];

/**
 * Emits `if (guard.running) { guard.missed++; goto out; } guard.running = 1`. Clobbers r0 to r5.
 *
 * @param at 4 bytes in the stack
 */
export function enter(at: number): Program {
  const { running, missed } = Busy.offsets;
  return [
    lookup(at),
    ldx('dw', 'r1', 'r0', running),
    jeq('r1', 0, 'free'),
    [ldx('dw', 'r1', 'r0', missed), add('r1', 1), stx('dw', 'r0', 'r1', missed)],
    ja('out'),
    label('free'),
    st('dw', 'r0', running, 1),
  ];
}

/** Emits `guard.running = 0; out:`. Clobbers r0 to r5. */
export function leave(at: number): Program {
  return [lookup(at), st('dw', 'r0', Busy.offsets.running, 0), label('out')];
}
