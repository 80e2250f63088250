export { block } from './block.ts';
export { htonl, htons } from './byte-order.ts';
export {
  argReg,
  argRegisters,
  callHelper,
  type MapRef,
  type Memory,
  type Operand,
  type SavedRegister,
} from './call.ts';
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
export { DslError } from './error.ts';
export { copyField, readField, readString, type StructPtr, type StructTypes, structPtr } from './fields.ts';
export { filterByComm, filterByPid } from './filter.ts';
export { probeReadKernel, probeReadKernelStr, probeReadUser, probeReadUserStr, readStructField } from './memory.ts';
export {
  copyFields,
  fieldAt,
  type RecordLayout,
  type StackRecord,
  setField,
  stackRecord,
  zeroGaps,
} from './record.ts';
export { allocStackBuffer, checkStack, zeroStack } from './stack.ts';
