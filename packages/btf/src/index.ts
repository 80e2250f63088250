export type { BtfAccess } from './access.ts';
export { type Btf, type BtfPlace, parseBtf } from './btf.ts';
export { btfSection } from './elf.ts';
export { BtfError, type BtfErrorCode } from './error.ts';
export type { BtfArgument, BtfFunction } from './func.ts';
export type { BtfKind } from './raw.ts';
export type { BtfIterField, BtfIterTarget } from './targets.ts';
export type * from './types.ts';
