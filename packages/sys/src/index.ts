export { btfLoad } from './btf.ts';
export { errnoName } from './errno.ts';
export { SysError, type SysErrorFacts, UnavailableError } from './error.ts';
export { Fd } from './fd.ts';
export {
  type CgroupOrder,
  type IterInfo,
  iterCreate,
  type LinkCreateOptions,
  linkCreate,
  rawTracepointOpen,
} from './link.ts';
export { kernelAtLeast, type Machine, readMachine, requireLinux, whyNotPermitted } from './machine.ts';
export {
  type MapCreateOptions,
  mapCreate,
  mapDeleteElem,
  mapGetFdById,
  mapGetNextKey,
  mapLookupElem,
  mapUpdateElem,
} from './map.ts';
export { MapFd, type MapInfo } from './map-fd.ts';
export { mapFile } from './mapped-file.ts';
export { type ProgLoadOptions, progLoad, progTestRun } from './prog.ts';
export type { AttachType, MapType, ProgType, UpdateFlag } from './uapi.ts';
