import type { Hint } from './hint.ts';

const TAIL_CALL = 12;

/** Helpers, kfuncs, and what they take and keep. */
export const callHints: readonly Hint[] = [
  [/invalid func unknown#(\d+)/, ([, id]) => `no kernel has a helper ${id}; use one of enum bpf_func_id`],
  [
    /(?:unknown func|cannot use helper) (\w+)#(\d+)/,
    ([, name], { type }) =>
      `${name} is not for programs of type ${type} in this kernel; call another helper, or make the program one of another type`,
  ],
  [
    /GPL-restricted function from non-GPL|GPL.compatible/,
    "what is called is for programs under the GPL only; set license: 'GPL', if it is",
  ],
  [
    /kernel btf_id (\d+) is not a function/,
    ([, id]) => `the kernel has no function with BTF id ${id}; find its id in the BTF of the kernel that it is for`,
  ],
  [
    /calling kernel function (\w+) is not allowed/,
    ([, name], { type }) => `${name} is no kfunc, or none for programs of type ${type}; call one that is`,
  ],
  [/calling kernel function is not allowed/, 'this is no kfunc, or none for this type of program; call one that is'],
  [
    /BPF_CALL uses reserved fields/,
    (_, { insn }) =>
      insn?.kind === 'call_kfunc'
        ? 'this kernel has no kfuncs, which came with Linux 5.13; call a helper'
        : 'fields of the call that must be 0 are not; build it with call()',
  ],
  [
    /cannot pass map_type \d+ into func (\w+)#/,
    ([, name]) => `${name} does not work on maps of this type; pass another`,
  ],
  [
    /expected prog array map for tail call|kernel subsystem misconfigured verifier/,
    (_, { insn }) =>
      insn?.kind === 'call' && insn.helper === TAIL_CALL
        ? 'bpf_tail_call takes the context, a map of type prog_array and an index; pass such a map in r2'
        : undefined,
  ],
  [
    /has to have BTF in order to use (\w+)|doesn't have valid (bpf_\w+)/,
    ([, one, other]) =>
      `${one || other} wants a map whose BTF says where in the value it lies; make the map with such types`,
  ],
  [
    /R(\d+) type=(\w+) expected=(\w+)(.*)/,
    ([, n, type = '', expected = '', more]) =>
      more || expected === 'fp'
        ? `r${n} is ${words(type)}, and an address of memory is wanted; pass one, such as r10 and an offset`
        : `r${n} is ${words(type)}, and ${words(expected)} is wanted; pass ${/mem$/.test(expected) ? 'it, and only once' : 'that'}`,
  ],
  [
    /R(\d+) is of type (\w+) but (\w+) is expected/,
    ([, n, has, wanted]) => `r${n} is a ${has}, and a ${wanted} is wanted; pass that`,
  ],
  [
    /(?:R(\d+) )?invalid zero-sized read/,
    ([, n]) => `the size${n ? ` in r${n}` : ''} is 0, or may be; see that it is 1 or more`,
  ],
  [
    /Unreleased reference id=\d+ alloc_insn=(\d+)/,
    ([, slot]) =>
      `what the call at slot ${slot} acquired is still held; release it on every path from there, such as by bpf_ringbuf_submit or bpf_sk_release`,
  ],
  [/reference leak|has not been acquired/, 'what is acquired is released once, on every path; see that it is'],
  [
    /bpf_spin_lock-ed region|missing unlock|holding a lock|missing bpf_spin_unlock/,
    'a lock is held; call bpf_spin_unlock first, on every path',
  ],
  [
    /might sleep|(?:is|must be) sleepable|non-sleepable/,
    'what is called may sleep, and this program may not; call it from a program that is loaded as sleepable, outside of locks',
  ],
];

const RESERVED = 'what bpf_ringbuf_reserve returned';
const kinds: Readonly<Record<string, string>> = {
  inv: 'a number',
  scalar: 'a number',
  ctx: 'the context',
  fp: 'an address on the stack',
  map_ptr: 'a map',
  map_value: 'the value of a map',
  mem: RESERVED,
  alloc_mem: RESERVED,
  ringbuf_mem: RESERVED,
  pkt: 'the packet',
};

function words(type: string): string {
  return kinds[type] ?? `a pointer (${type})`;
}
