export { type ArgPlace, argOffset, loadArg } from './arguments.ts';
export { attachTypes, type FentryKind, progTypes } from './attach-types.ts';
export { buildFentryProgram, buildFexitProgram, type FentryParts, type FexitParts } from './build.ts';
export {
  type ArgHomes,
  type ArgName,
  type ArgPtrs,
  defineFentry,
  defineFexit,
  defineFmodRet,
  defineTpBtf,
  type FentryBody,
  type FentryOptions,
  type KernelTypes,
} from './define.ts';
export { describeTrampoline, type Trampoline } from './describe.ts';
export {
  argumentOf,
  type FunctionTypes,
  getArgByName,
  getArgType,
  getReturnType,
  resolveBtfFunction,
  suggestArgSaves,
  tracepointOf,
} from './functions.ts';
export {
  type FentryInfo,
  fentrySectionName,
  fexitSectionName,
  fmodRetSectionName,
  makeFentryProgramInfo,
  makeFexitProgramInfo,
  makeFmodRetProgramInfo,
  makeTpBtfProgramInfo,
  tpBtfSectionName,
} from './info.ts';
export { type ArgSave, prologue, saveArgs } from './prologue.ts';
export { fentryReturn, getFuncRet, getReturnValue } from './return-value.ts';
export { deniedFunctions, type TargetCheck, type TargetOptions, validateTarget } from './validate.ts';
