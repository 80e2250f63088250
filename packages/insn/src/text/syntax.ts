/** How things are written: the tables that `format` and `parse` share. */
import type { AluOp, AtomicOp, JumpOp, Size } from '../insn.ts';

export const aluSigns: Readonly<Record<AluOp, string>> = {
  add: '+=',
  sub: '-=',
  mul: '*=',
  div: '/=',
  sdiv: 's/=',
  or: '|=',
  and: '&=',
  lsh: '<<=',
  rsh: '>>=',
  mod: '%=',
  smod: 's%=',
  xor: '^=',
  mov: '=',
  arsh: 's>>=',
};

export const jumpSigns: Readonly<Record<JumpOp, string>> = {
  jeq: '==',
  jgt: '>',
  jge: '>=',
  jset: '&',
  jne: '!=',
  jsgt: 's>',
  jsge: 's>=',
  jlt: '<',
  jle: '<=',
  jslt: 's<',
  jsle: 's<=',
};

/** The operations of `lock *(u64 *)(r1 + 0) += r2`. */
export const lockSigns: Readonly<Record<Exclude<AtomicOp, 'xchg' | 'cmpxchg'>, string>> = {
  add: '+=',
  or: '|=',
  and: '&=',
  xor: '^=',
};

export const unsignedTypes: Readonly<Record<Size, string>> = { b: 'u8', h: 'u16', w: 'u32', dw: 'u64' };
export const signedTypes: Readonly<Record<Exclude<Size, 'dw'>, string>> = { b: 's8', h: 's16', w: 's32' };

/** The immediates that a store of each size can hold, signed or unsigned; that of `dw` is sign-extended. */
export const storeLimits: Readonly<Record<Size, { readonly min: number; readonly max: number }>> = {
  b: { min: -0x80, max: 0xff },
  h: { min: -0x8000, max: 0xffff },
  w: { min: -0x8000_0000, max: 0xffff_ffff },
  dw: { min: -0x8000_0000, max: 0x7fff_ffff },
};

/** Names of helpers, both ways: what `import * as helpers from '@bpf/insn/helpers'` gives. */
export interface HelperNames {
  readonly helperId: (name: string) => number | undefined;
  readonly helperName: (id: number) => string | undefined;
}

const BARE_NAME = /^[A-Za-z_.$][\w.$]*$/;
const REGISTER = /^[rw](\d|10)$/;

/** A label or a map as it is written: in quotes, as in JSON, when it would not be read as one word. */
export function nameText(name: string): string {
  return BARE_NAME.test(name) && !REGISTER.test(name) ? name : JSON.stringify(name);
}

/** A table from what is written to what it means. */
export function invert<Name extends string>(table: Readonly<Record<Name, string>>): ReadonlyMap<string, Name> {
  const names = new Map<string, Name>();
  for (const name in table) names.set(table[name], name);
  return names;
}
