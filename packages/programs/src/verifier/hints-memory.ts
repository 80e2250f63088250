import type { Hint } from './hint.ts';

const STACK_BYTES = 512;

/** Loads and stores. */
export const memoryHints: readonly Hint[] = [
  [
    /R(\d+) (?:invalid mem access '|type=|pointer arithmetic on )\w*or_null/,
    ([, n]) => `r${n} may be null; compare it with 0 first, and use it only where it is not`,
  ],
  [
    /Possibly NULL pointer passed to (?:trusted |helper )?arg(\d)/,
    ([, n]) => `r${Number(n) + 1} may be null; compare it with 0 first, and use it only where it is not`,
  ],
  [
    /R(\d+) invalid mem access '(?:inv|scalar)'/,
    ([, n]) =>
      `r${n} is a number, not a pointer that the verifier knows; use one of those, or read with bpf_probe_read_kernel`,
  ],
  [
    /R(\d+) invalid mem access '(\w+)'/,
    ([, n, what]) => `r${n} is a pointer (${what}) that cannot be loaded from, or stored to; use one that can`,
  ],
  [
    /invalid (\w+ ?\w*? (?:to |from ))?stack (?:type )?(?:R\d+ )?off=(-?\d+) (?:access_)?size=(\d+)/,
    ([, how = '', off, size]) => stack(how, Number(off), Number(size)),
  ],
  [
    /invalid (indirect )?read from stack (?:R\d+ )?off (-?\d+)\+(\d+) size (\d+)/,
    'not all of these bytes of the stack were written on the way here; write them first',
  ],
  [
    /misaligned (\w+) access off .* size (\d+)/,
    ([, what, size]) =>
      `${what} accesses of ${size} bytes must be aligned; use an offset that is a multiple of ${size}`,
  ],
  [
    /invalid size of register (?:spill|fill)|corrupted spill memory|corrupt spilled pointer/,
    'a pointer is kept on the stack whole; store and load all its 8 bytes, at an offset that is a multiple of 8',
  ],
  [
    /variable.* (?:stack|ctx) access|unbounded variable-offset/,
    'the offset is not known before the program runs; use a constant, or bound it first',
  ],
  [
    /doesn't have \d+-th argument/,
    (_, { insn }) =>
      `there is no argument at offset ${insn && 'off' in insn ? insn.off : ''} of the context; there is one for each 8 bytes, as many as what it attaches to has`,
  ],
  [
    /invalid bpf_context access off=(-?\d+) size=(\d+)/,
    ([, off, size], { insn, type }) =>
      insn && (insn.kind === 'stx' || insn.kind === 'st')
        ? `programs of type ${type} may not write ${size} bytes at offset ${off} of their context; write only fields that they may`
        : `the context of programs of type ${type} has no field of ${size} bytes at offset ${off} that they may read; use the offset and size of a field`,
  ],
  [
    /BPF_ST stores into R(\d+) ctx is not allowed/,
    ([, n]) =>
      `this kernel stores to the context, in r${n}, from registers only; put the number into one, and use stx()`,
  ],
  [
    /BPF_(?:XADD|ATOMIC) stores into R(\d+) (\w+) is not allowed/,
    ([, n, what]) => `r${n} (${what}) is nothing that atomic operations work on; use the stack or the value of a map`,
  ],
  [
    /dereference of modified \w+ ptr R(\d+) off=(-?\d+) disallowed/,
    ([, n, off]) =>
      `r${n} must be as it was; leave out the ${off} that was added, and put it into the offset of the load or store`,
  ],
  [
    /invalid access to (?:map value|memory|map key), (?:value|mem|key)_size=(\d+) off=(-?\d+) size=(\d+)/,
    ([, has, off, size]) =>
      `there are ${has} bytes, and this may go from ${off} to ${Number(off) + Number(size) - 1}; stay in 0 to ${Number(has) - 1}, and check an offset that is not constant first`,
  ],
  [
    /invalid access to packet/,
    'the packet may end before this; compare the address behind the bytes with data_end first, and go on only where it is not greater',
  ],
  [
    /write into map forbidden/,
    'programs may only read this map; make it without the flag rdonly_prog, and do not freeze it',
  ],
  [/read from map forbidden/, 'programs may only write this map; make it without the flag wronly_prog'],
  [
    /only read from (\w+) is supported/,
    'this is the map itself, not a value of it; look one up with bpf_map_lookup_elem, and write that',
  ],
  [/only read is supported/, 'objects of the kernel may only be read; leave the store out'],
  [/cannot write into (\w+)/, ([, what]) => `this memory (${what}) may only be read; leave the store out`],
  [
    /access beyond struct (\w+) at off (\d+) size (\d+)/,
    ([, name, off]) => `struct ${name} ends before offset ${off} in this kernel; take offsets from its BTF`,
  ],
  [/R6 != pointer to skb/, 'packet loads take the context from r6; copy it there first: mov(r6, r1)'],
  [
    /BPF_LD_\[ABS\|IND\] instructions not allowed/,
    (_, { type }) =>
      `programs of type ${type} have no packet loads; load from between data and data_end, or call a helper`,
  ],
];

function stack(how: string, off: number, size: number): string {
  if (off >= -STACK_BYTES && off + size > 0 && off < 0)
    return `there are ${-off} bytes from r10${off} to the end of the stack, and this takes ${size}; start lower, or take less`;
  if (off >= -STACK_BYTES && off + size <= 0 && /read|indirect/.test(how))
    return 'not all of these bytes of the stack were written on the way here; write them first';
  return `the stack is the ${STACK_BYTES} bytes below r10; use an offset from -${STACK_BYTES} to -${size}`;
}
