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
export { iterHelperIds } from './helpers.ts';
export { type IterInfo, iterSectionName, libbpfSectionName, makeIterInfo } from './info.ts';
export type { Meta } from './meta.ts';
export { seqPrintf, seqPrintfBtf, seqPrintfBtfFlags, seqWrite } from './output.ts';
export {
  buildIterProgram,
  type IterParts,
  iterProgram,
  minimalTaskIterator,
  taskNullCheckTemplate,
} from './program.ts';
export { writeRecord } from './record.ts';
export {
  type IterField,
  type IterTarget,
  iteratorTypes,
  iterTargets,
  type MetaField,
  metaFields,
} from './targets.ts';
export { taskFieldOffset, taskLoadPid, taskLoadTgid } from './task.ts';
