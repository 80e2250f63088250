export {
  checkNullAndExit,
  contextOffset,
  type IterContext,
  iterContext,
  loadCtxPtr,
  loadMetaField,
  prologue,
  prologueWithMeta,
  returnContinue,
} from './context.ts';
export { IterError } from './error.ts';
export { type IterInfo, makeIterInfo } from './info.ts';
export { seqWrite } from './output.ts';
export { type IterField, type IterTarget, iterTargets, type MetaField, metaFields } from './targets.ts';
