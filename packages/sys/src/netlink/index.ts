export { ifIndex } from './interfaces.ts';
export { type LwtProgType, type LwtRoute, lwtRouteAdd, lwtRouteDelete } from './lwt.ts';
export { type TcDirection, tcClsactAdd, tcClsactDelete } from './tc.ts';
export {
  type TcFilter,
  type TcFilterAddOptions,
  type TcFilterId,
  type TcPlace,
  tcFilterAdd,
  tcFilterDelete,
  tcFilterList,
} from './tc-filter.ts';
export {
  type XdpAttachOptions,
  type XdpDetachOptions,
  type XdpMode,
  type XdpState,
  xdpAttach,
  xdpDetach,
  xdpQuery,
} from './xdp.ts';
