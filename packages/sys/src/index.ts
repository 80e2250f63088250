export { type AttrFields, type BpfCmd, encodeAttr } from './attr.ts';
export { bpf } from './bpf.ts';
export { type BtfInfo, btfGetBytes, btfGetInfo, btfLoad } from './btf.ts';
export { parseCpuList, possibleCpus } from './cpus.ts';
export { errnoName, errnoNumber } from './errno.ts';
export { SysError, type SysErrorFacts, UnavailableError } from './error.ts';
export { eventFd } from './event.ts';
export { Fd, type FdLike, type HasFd } from './fd.ts';
export { type FdKind, fdKind } from './fd-kind.ts';
export {
  AT_FDCWD,
  fileOpen,
  fileRead,
  fileReadAll,
  fileWrite,
  fileWriteAll,
  O_APPEND,
  O_CLOEXEC,
  O_CREAT,
  O_EXCL,
  O_NONBLOCK,
  O_RDONLY,
  O_RDWR,
  O_TRUNC,
  O_WRONLY,
} from './files.ts';
export {
  btfGetFdById,
  btfGetNextId,
  linkGetFdById,
  linkGetNextId,
  mapGetFdById,
  mapGetNextId,
  progGetFdById,
  progGetNextId,
} from './ids.ts';
export { ioctl } from './ioctl.ts';
export {
  type CgroupOrder,
  type IterInfo,
  iterCreate,
  type KprobeMulti,
  type LinkAnchor,
  type LinkCreateOptions,
  type LinkOrder,
  linkCreate,
  linkDetach,
  linkUpdate,
  rawTracepointOpen,
  type TracingMulti,
  type UprobeMulti,
} from './link.ts';
export { type LinkDetails, type LinkInfo, type LinkType, linkGetInfo } from './link-info.ts';
export { capabilityNames, kernelAtLeast, type Machine, readMachine, requireLinux, whyNotPermitted } from './machine.ts';
export {
  BPF_ANY,
  BPF_EXIST,
  BPF_F_LOCK,
  BPF_NOEXIST,
  type MapCreateOptions,
  type MapFlag,
  mapCreate,
  mapDeleteElem,
  mapFreeze,
  mapGetNextKey,
  mapLookupAndDeleteElem,
  mapLookupElem,
  mapUpdateElem,
} from './map.ts';
export {
  type MapBatch,
  mapDeleteBatch,
  mapLookupAndDeleteBatch,
  mapLookupBatch,
  mapUpdateBatch,
} from './map-batch.ts';
export { MapFd } from './map-fd.ts';
export { type MapInfo, type MapType, mapGetInfo } from './map-info.ts';
export { mapFile } from './mapped-file.ts';
export { type Mapping, type MmapOptions, mmap } from './mapping.ts';
export { type NativeMemory, type Scope, withScope } from './memory.ts';
export { enableStats, type TaskFdQuery, taskFdQuery, tokenCreate } from './misc.ts';
export { pageSize } from './mmap.ts';
export { findMounts, type Mount, mountOf } from './mounts.ts';
export { type ObjPath, objGet, objPin } from './obj.ts';
export {
  PERF_COUNT_SW_BPF_OUTPUT,
  PERF_COUNT_SW_CPU_CLOCK,
  PERF_SAMPLE_RAW,
  type PerfEventOptions,
  perfEventDisable,
  perfEventEnable,
  perfEventOpen,
  perfEventSetBpf,
} from './perf-event.ts';
export { tracepointId } from './perf-names.ts';
export { pollFd } from './poll.ts';
export {
  type AttachType,
  type ProgFlag,
  type ProgLoadOptions,
  type ProgRecords,
  type ProgType,
  progAssocStructOps,
  progBindMap,
  progLoad,
  progLoadWithLog,
  progStreamRead,
} from './prog.ts';
export {
  type AttachFlag,
  type AttachTarget,
  type ProgQuery,
  progAttach,
  progDetach,
  progQuery,
} from './prog-attach.ts';
export { type ProgInfo, progGetInfo, progGetJited, progGetXlated } from './prog-info.ts';
export { type ProgTestRunOptions, type ProgTestRunResult, progTestRun } from './prog-test-run.ts';
export { getErrno, rawSyscall, type SyscallArgument } from './raw-syscall.ts';
export { raiseMemlock } from './rlimit.ts';
export { mapTypeSince, progTypeSince } from './since.ts';
export { mapFlags } from './uapi.gen.ts';
export { waitReadable } from './wait-readable.ts';
