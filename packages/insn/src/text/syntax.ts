/** How things are written: the tables that `format` and `parse` share. */
import { invert } from '../codes.ts';
import type { AluOp, JumpOp, Size } from '../insn.ts';

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

/** Those of `u32`. */
const typeBits: Readonly<Record<Size, string>> = { b: '8', h: '16', w: '32', dw: '64' };

/** `u32`, or `s32` when it is sign-extended. */
export const typeOf = (size: Size, sign: 'u' | 's' = 'u'): string => sign + typeBits[size];

/** The sizes by what is behind the `u` or `s`. */
export const sizesByBits: ReadonlyMap<string, Size> = /* @__PURE__ */ invert(
  /* @__PURE__ */ Object.entries(typeBits),
) as ReadonlyMap<string, Size>;

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
