export { htonl, htons } from './byte-order.ts';
export {
  contextOffset,
  type IterContext,
  iterContext,
  loadCtxPtr,
  loadMetaField,
  prologue,
  prologueWithMeta,
} from './context.ts';
export {
  checkNull,
  checkNullAndExit,
  exitIfStopped,
  type IterAction,
  iterReturn,
  iterReturnValues,
  loadOrExit,
  returnContinue,
  returnStop,
  returnValue,
  stopIteration,
} from './control.ts';
export { IterError } from './error.ts';
export { copyField, readField, readString, type StructPtr, type StructTypes, structPtr } from './fields.ts';
export { iterHelperIds } from './helpers.ts';
export { type IterInfo, iterSectionName, libbpfSectionName, makeIterInfo } from './info.ts';
export { allocStackBuffer, probeReadKernel, probeReadKernelStr, zeroStack } from './memory.ts';
export type { Meta } from './operands.ts';
export { seqPrintf, seqPrintfBtf, seqPrintfBtfFlags, seqWrite } from './output.ts';
export {
  buildIterProgram,
  type IterParts,
  iterProgram,
  minimalTaskIterator,
  taskNullCheckTemplate,
} from './program.ts';
export { copyFields, type RecordLayout, type StackRecord, setField, stackRecord, writeRecord } from './record.ts';
export {
  type IterField,
  type IterTarget,
  iteratorTypes,
  iterTargets,
  type MetaField,
  metaFields,
} from './targets.ts';
export { taskFieldOffset, taskLoadPid, taskLoadTgid } from './task.ts';
