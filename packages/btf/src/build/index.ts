export { encodeBtf } from './encode.ts';
export type { BtfTypeData } from './type-data.ts';
