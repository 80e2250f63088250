import { add, atomicAdd, exit, ldx, mov, st, stx } from '@bpf/insn';
import { ok, type Refused } from './verifier-catalogue-parts.ts';

/** Loads and stores on the stack and of the context. */
export const stack: readonly Refused[] = [
  {
    name: 'below the stack',
    instructions: [st('dw', 'r10', -520, 0), ok],
    slot: 0,
    reason: /^invalid (write to )?stack (off=-520 size=8|R10 off=-520 size=8)$/,
    hint: /512 bytes/,
  },
  {
    name: 'above the stack',
    instructions: [st('dw', 'r10', 0, 0), ok],
    slot: 0,
    reason: /^invalid (write to )?stack (off=0 size=8|R10 off=0 size=8)$/,
    hint: /512 bytes/,
  },
  {
    name: 'a stack access that is not aligned',
    instructions: [st('dw', 'r10', -12, 0), ok],
    slot: 0,
    reason: /^misaligned stack access off .*-12 size 8$/,
    hint: /multiple of 8/,
  },
  {
    name: 'stack that was not written',
    instructions: [ldx('dw', 'r0', 'r10', -8), exit()],
    slot: 0,
    reason: /^invalid read from stack R10 off=-8 size=8$/,
    hint: /not all of these bytes of the stack were written/,
    accepted: 'the privileged may read what was not written since Linux 6.3',
  },
  {
    name: 'part of a pointer is stored',
    instructions: [stx('w', 'r10', 'r1', -4), ok],
    slot: 0,
    reason: /^invalid size of register spill$/,
    hint: /8 bytes/,
  },
  {
    name: 'part of a stored pointer is loaded',
    instructions: [stx('dw', 'r10', 'r1', -8), ldx('w', 'r0', 'r10', -8), exit()],
    slot: 1,
    reason: /^(invalid size of register fill|corrupted spill memory.*)$/,
    hint: /8 bytes/,
  },
  {
    name: 'a stored pointer that was overwritten',
    instructions: [
      stx('dw', 'r10', 'r1', -8),
      st('b', 'r10', -8, 0),
      ldx('dw', 'r1', 'r10', -8),
      ldx('w', 'r0', 'r1', 0),
      exit(),
    ],
    slot: 3,
    reason: /^R1 invalid mem access '(inv|scalar)'$/,
    hint: /^r1 is a number/,
  },
  {
    name: 'behind the context',
    instructions: [ldx('w', 'r0', 'r1', 400), exit()],
    slot: 0,
    reason: /^invalid bpf_context access off=400 size=4$/,
    hint: /no field/,
  },
  {
    name: 'a field of the context in another size',
    instructions: [ldx('h', 'r0', 'r1', 5), exit()],
    slot: 0,
    reason: /^invalid bpf_context access off=5 size=2$/,
    hint: /no field/,
  },
  {
    name: 'a field of the context that is not for writing',
    instructions: [mov('r2', 0), stx('w', 'r1', 'r2', 0), ok],
    slot: 1,
    reason: /^invalid bpf_context access off=0 size=4$/,
    hint: /may not write 4 bytes at offset 0/,
  },
  {
    name: 'an immediate is stored to the context',
    instructions: [st('w', 'r1', 0, 0), ok],
    slot: 0,
    reason: /^(BPF_ST stores into R1 ctx is not allowed|invalid bpf_context access off=0 size=4)$/,
    hint: /from registers only|may not write/,
  },
  {
    name: 'an atomic operation on the context',
    instructions: [mov('r2', 1), atomicAdd('w', 'r1', 'r2', 8), ok],
    slot: 1,
    reason: /^BPF_(XADD|ATOMIC) stores into R1 ctx is not allowed$/,
    hint: /^r1 \(ctx\) is nothing that atomic operations work on; /,
  },
  {
    name: 'a context that was moved',
    instructions: [add('r1', 4), ldx('w', 'r0', 'r1', 0), exit()],
    slot: 1,
    reason: /^dereference of modified ctx ptr R1 off=4 disallowed$/,
    hint: /offset of the load/,
  },
];
