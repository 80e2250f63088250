export { type ArgPlace, argOffset, argReg, loadArg } from './arguments.ts';
export { attachTypes, type FentryKind, progTypes } from './attach-types.ts';
export { buildFentryProgram, buildFexitProgram, type FentryParts, type FexitParts } from './build.ts';
export {
  BPF_F_FAST_STACK_CMP,
  BPF_F_REUSE_STACKID,
  BPF_F_USER_STACK,
  currentComm,
  currentGid,
  currentPid,
  currentTid,
  currentUid,
  getStack,
  getStackid,
  ktimeGetNs,
} from './current.ts';
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
export { FentryError } from './error.ts';
export { copyField, readField, readString, type StructPtr, type StructTypes, structPtr } from './fields.ts';
export { filterByComm, filterByPid } from './filter.ts';
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
export {
  probeReadKernel,
  probeReadKernelStr,
  probeReadUser,
  probeReadUserStr,
  readStructField,
  zeroStack,
} from './memory.ts';
export { argRegisters, type Memory, type SavedRegister } from './operands.ts';
export { type ArgSave, prologue, saveArgs } from './prologue.ts';
export { copyFields, fieldAt, type RecordLayout, type StackRecord, setField, stackRecord } from './record.ts';
export { fentryReturn, getFuncRet, getReturnValue } from './return-value.ts';
export { deniedFunctions, type TargetCheck, type TargetOptions, validateTarget } from './validate.ts';
