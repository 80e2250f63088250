export { type Btf, type BtfMember, type BtfType, parseBtf } from './btf.ts';
export { BtfError, type BtfErrorCode } from './error.ts';
export type { BtfKind } from './raw.ts';
