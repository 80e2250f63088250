import type { Hint } from './hint.ts';

/** Jumps, functions, size, and what is no instruction. */
export const flowHints: readonly Hint[] = [
  [/unreachable insn/, 'no path leads there; remove it, or jump to it'],
  [
    /jump out of range/,
    'the jump leads out of the program, or into another function of it; jump to a label of the same function',
  ],
  [
    /jump into the middle of ldimm64|BUG_ld_00|invalid BPF_LD_IMM insn/,
    'a jump leads to the second half of a wide instruction, which takes two slots; jump to a label',
  ],
  [
    /missing btf func_info/,
    'a program that takes the address of a function is loaded with types, and this kernel did not take them from this user; load it with CAP_BPF',
  ],
  [/call to invalid destination/, 'a call leads out of the program; call a label'],
  [/last insn is not an exit or jmp/, 'the program, and each function of it, ends with exit or a jump; add exit()'],
  [
    /infinite loop detected/,
    'the verifier sees nothing change from one turn of the loop to the next; count the turns in a register, and end after a constant number',
  ],
  [
    /the call stack of \d+ frames is too deep|recursive call/,
    'functions may call each other 8 deep, and never themselves; use a loop',
  ],
  [
    /back-edge from insn/,
    'the program comes back to where it was: functions must not call themselves, and loops want CAP_BPF; use a loop that ends',
  ],
  [
    /too (?:large|complex)|too many states/,
    'there are more paths and turns of loops than the verifier goes through; have fewer of them, or use bpf_loop',
  ],
  [
    /combined stack size of (\d+) calls is (\d+)/,
    ([, calls, bytes]) =>
      `${calls} functions that call each other have ${bytes} bytes of stack together, and 512 is the most; use less, or the value of a map`,
  ],
  [
    /unknown opcode|invalid BPF_\w+ opcode|unrecognized bpf_ld_imm64 insn/,
    'this kernel does not know such an instruction, which may be of a newer Linux; use others',
  ],
  [
    /uses reserved fields|invalid bpf_ld_imm64 insn/,
    'fields of the instruction are not as they must be; build it with its function',
  ],
  [
    /fd (\d+) is not pointing to valid bpf_map/,
    ([, fd]) => `descriptor ${fd} is not that of a map; pass the map that is open`,
  ],
];
