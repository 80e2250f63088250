import type { Record } from '../build.ts';

/** BTF_KIND_* */
export const INT = 1;
export const PTR = 2;
export const ARRAY = 3;
export const STRUCT = 4;
export const UNION = 5;
export const ENUM = 6;
export const FWD = 7;
export const TYPEDEF = 8;
export const VOLATILE = 9;
export const CONST = 10;
export const RESTRICT = 11;
export const FUNC = 12;
export const FUNC_PROTO = 13;
const VAR = 14;
export const DATASEC = 15;
export const FLOAT = 16;
export const DECL_TAG = 17;
export const TYPE_TAG = 18;
export const ENUM64 = 19;

/** One of every kind. */
export const everyKind: Record[] = [
  /* 1 */ { name: 'int', kind: INT, sizeOrType: 4, extra: [0x0100_0020] },
  /* 2 */ { kind: PTR, sizeOrType: 4 },
  /* 3 */ { kind: ARRAY, extra: [1, 1, 16] },
  /* 4 */ {
    name: 'node',
    kind: STRUCT,
    vlen: 3,
    kindFlag: true,
    sizeOrType: 16,
    extra: ['next', 2, 0, 'flag', 1, (1 << 24) | 64, 'rest', 1, (31 << 24) | 65],
  },
  /* 5 */ { kind: UNION, vlen: 2, sizeOrType: 64, extra: ['all', 3, 0, '', 4, 0] },
  /* 6 */ { name: 'mode', kind: ENUM, vlen: 2, kindFlag: true, sizeOrType: 4, extra: ['ON', 1, 'OFF', 0xffff_ffff] },
  /* 7 */ { name: 'opaque', kind: FWD },
  /* 8 */ { name: 'any', kind: TYPEDEF, sizeOrType: 5 },
  /* 9 */ { kind: VOLATILE, sizeOrType: 1 },
  /* 10 */ { kind: CONST, sizeOrType: 1 },
  /* 11 */ { kind: RESTRICT, sizeOrType: 2 },
  /* 12 */ { kind: FUNC_PROTO, vlen: 2, sizeOrType: 1, extra: ['self', 2, '', 0] },
  /* 13 */ { name: 'print', kind: FUNC, vlen: 1, sizeOrType: 12 },
  /* 14 */ { name: 'counter', kind: VAR, sizeOrType: 9, extra: [1] },
  /* 15 */ { name: '.data', kind: DATASEC, vlen: 1, sizeOrType: 4, extra: [14, 0, 4] },
  /* 16 */ { name: 'double', kind: FLOAT, sizeOrType: 8 },
  /* 17 */ { name: 'tagged', kind: DECL_TAG, sizeOrType: 4, extra: [0xffff_ffff] },
  /* 18 */ { name: 'user', kind: TYPE_TAG, sizeOrType: 1 },
  /* 19 */ { name: 'big', kind: ENUM64, vlen: 2, sizeOrType: 8, extra: ['HUGE', 5, 0xffff_ffff, 'SMALL', 7, 0] },
];
