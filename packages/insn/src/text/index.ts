export { TextError } from './error.ts';
export { type FormatOptions, format, formatInsn } from './format.ts';
export { type ParseOptions, parse } from './parse.ts';
export type { HelperNames } from './syntax.ts';
