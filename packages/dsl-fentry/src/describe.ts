import { attachTypes, type FentryKind, progTypes } from './attach-types.ts';

/** What happens when a program is attached to a function: see {@link describeTrampoline}. */
export interface Trampoline {
  readonly function: string;
  readonly section: string;
  readonly type: 'tracing';
  readonly attachType: (typeof attachTypes)[FentryKind];
  /** Whose BTF id the program is loaded with: `attach_btf_id`. */
  readonly attachBtf: { readonly kind: 'func' | 'typedef'; readonly name: string };
  /** How its arguments, and what it returns, reach the program. */
  readonly notes: readonly string[];
}

const notes: Readonly<Record<FentryKind, readonly string[]>> = {
  fentry: ['There is no return value in the context yet.', 'The program must return 0.'],
  fexit: ['The slot after the arguments holds what the function returned.', 'The program must return 0.'],
  fmod_ret: [
    'The slot after the arguments holds what the program before this one returned, or 0.',
    'When the program returns other than 0, the function does not run, and that is what it returns.',
    'Only for security_* functions and those open to error injection.',
  ],
  tp_btf: ['No trampoline: the tracepoint calls the program.'],
};

/**
 * Says how a program is attached to a function, for people to read. It is `@bpf/programs` that attaches.
 *
 * @example
 * ```ts
 * for (const note of describeTrampoline('vfs_read', 'fexit').notes) console.log(note);
 * ```
 */
export function describeTrampoline(func: string, kind: FentryKind): Trampoline {
  const tracepoint = kind === 'tp_btf';
  return {
    function: func,
    section: `${kind}/${func}`,
    type: progTypes[kind],
    attachType: attachTypes[kind],
    attachBtf: tracepoint ? { kind: 'typedef', name: `btf_trace_${func}` } : { kind: 'func', name: func },
    notes: [
      'r1 points to an array of u64 that holds the arguments, 8 bytes for each slot; no other register holds one.',
      'The upper bits of a narrower argument are undefined.',
      ...notes[kind],
    ],
  };
}
