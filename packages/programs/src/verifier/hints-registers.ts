import type { Hint } from './hint.ts';

/** What registers hold, and arithmetic. */
export const registerHints: readonly Hint[] = [
  [
    /R(\d+) !read_ok/,
    ([, n], { insn, afterCall }) => {
      if (n === '0' && insn?.kind === 'exit')
        return 'r0, the return value, was not written on the way here; write it first';
      if (afterCall && /^[1-5]$/.test(n ?? ''))
        return `r${n} was not written since the last call, which loses r1 to r5; write it again, or keep it in one of r6 to r9`;
      return `r${n} was not written on the way here; write it first`;
    },
  ],
  [/frame pointer is read only/, 'r10 cannot be written; copy it to another register and change that'],
  [/div by zero/, 'the divisor is the number 0; use another'],
  [
    /invalid shift (-?\d+)/,
    ([, by], { insn }) =>
      `shifting by ${by} is undefined; shift by 0 to ${insn?.kind === 'alu' && insn.bits === 32 ? 31 : 63}`,
  ],
  [
    /R(\d+) pointer arithmetic with (\S+) operator prohibited/,
    ([, n, op]) =>
      `r${n} is a pointer, and ${op} does not work on pointers; only add numbers to them and subtract numbers`,
  ],
  [
    /R(\d+) 32-bit pointer arithmetic prohibited/,
    ([, n]) => `r${n} is a pointer, whose upper half would be lost; use the 64-bit operation`,
  ],
  [/R\d+ pointer [+-]= pointer prohibited/, 'both registers are pointers; add or subtract a number'],
  [
    /R(\d+) tried to subtract pointer from scalar/,
    ([, n]) => `r${n} is a number, and what is subtracted is a pointer; subtract a number`,
  ],
  [
    /R(\d+) pointer arithmetic on (\w*?)(?:_or_null)?_? prohibited/,
    ([, n, what]) => `r${n} is a pointer (${what}) that cannot be moved; use it as it is`,
  ],
  [
    /math between (\w+) pointer and register with unbounded min value|value \S+ makes (\w+) pointer be out of bounds/,
    ([, one, other]) =>
      `what is added to the ${one || other} pointer may be any number, or a negative one; bound it first, with and() or an unsigned comparison such as jgt()`,
  ],
  [
    /R(\d+) min value is negative/,
    ([, n]) => `r${n} may be negative; bound it first, with and() or an unsigned comparison such as jgt()`,
  ],
  [
    /R(\d+) (?:unbounded memory access|max value is outside)/,
    ([, n]) => `r${n} may be too large; bound it first, with and() or an unsigned comparison such as jgt()`,
  ],
  [
    /register R0 has .* should have been in \((0x[0-9a-f]+); (0x[0-9a-f]+)\)/,
    // A value, and which bits of it may be set too.
    ([, value = '', mask = ''], { type }) => returned(type, BigInt(value), BigInt(value) | BigInt(mask)),
  ],
  [
    /register R0 has .* should have been in \[(-?\d+), (-?\d+)\]/,
    ([, min = '', max = ''], { type }) => returned(type, min, max),
  ],
  [
    /R0 is not a known value \((\w+)\)/,
    ([, what], { type }) => `r0 is a pointer (${what}) at the exit; programs of type ${type} return a number`,
  ],
  [
    /leaks? addr|leak pointer|pointer comparison prohibited|partial copy of pointer|pointer arithmetic prohibited$/,
    "without CAP_PERFMON a program must not let out addresses of the kernel's memory; load it with that capability, or leave this out",
  ],
];

function returned(type: string, min: string | bigint, max: string | bigint): string {
  const range = min === max ? min : `from ${min} to ${max}`;
  return `programs of type ${type} that attach to this return ${range}; see that r0 is that on every path`;
}
