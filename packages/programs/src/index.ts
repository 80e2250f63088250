export { type AttachOptions, attach, Link } from './attach.ts';
export { ProgramError, type ProgramErrorCode, VerifierError } from './error.ts';
export { BpfIterator, openIterator } from './iterator.ts';
export { kernelBtf, kernelBtfModules } from './kernel-btf.ts';
export { type LoadOptions, loadProgram, Program } from './load.ts';
export type { ProgramSpec } from './spec.ts';
