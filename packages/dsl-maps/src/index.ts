export {
  mapDelete,
  mapDeletePtr,
  mapLookup,
  mapLookupPercpu,
  mapLookupPtr,
  mapUpdate,
  mapUpdatePtr,
} from './elements.ts';
export { perfEventOutput, ringbufDiscard, ringbufOutput, ringbufReserve, ringbufSubmit } from './events.ts';
export {
  BPF_ANY,
  BPF_EXIST,
  BPF_F_CURRENT_CPU,
  BPF_F_LOCK,
  BPF_NOEXIST,
  BPF_RB_FORCE_WAKEUP,
  BPF_RB_NO_WAKEUP,
} from './flags.ts';
export { mapPeek, mapPop, mapPush } from './queue.ts';
export { mapIncrement, mapLookupInner, mapLookupOrInit } from './sequences.ts';
