import { type Btf, parseBtf } from '@bpf/btf';
import { type BtfTypeData, encodeBtf } from '@bpf/btf/build';

/** Types with functions of every kind, as a small kernel would have them. */
export function makeBtf(): Btf {
  const types: BtfTypeData[] = [];
  const add = (type: BtfTypeData): number => types.push(type);
  const int = (name: string, size: number, encoding: 'signed' | 'unsigned' | 'bool'): number =>
    add({ kind: 'int', name, size, bits: size * 8, bitOffset: 0, encoding });
  const pointerTo = (typeId: number): number => add({ kind: 'ptr', name: '', typeId });
  const struct = (
    name: string,
    size: number,
    ...members: [name: string, typeId: number, byte: number, bits?: number][]
  ) =>
    add({
      kind: 'struct',
      name,
      size,
      members: members.map(([name, typeId, byte, bitSize = 0]) => ({ name, typeId, bitOffset: byte * 8, bitSize })),
    });
  const proto = (returnTypeId: number, ...params: [name: string, typeId: number][]): number =>
    add({ kind: 'func_proto', name: '', returnTypeId, params: params.map(([name, typeId]) => ({ name, typeId })) });
  const func = (name: string, returnTypeId: number, ...params: [name: string, typeId: number][]): number =>
    add({ kind: 'func', name, typeId: proto(returnTypeId, ...params), linkage: 'static' });

  const INT = int('int', 4, 'signed');
  const LONG = int('long', 8, 'signed');
  const BOOL = int('bool', 1, 'bool');
  const U16 = int('u16', 2, 'unsigned');
  const VOID_PTR = pointerTo(0);
  const CHAR_PTR = pointerTo(int('char', 1, 'signed'));
  const DOUBLE = add({ kind: 'float', name: 'double', size: 8 });
  const common = struct('', 8, ['skc_daddr', INT, 0], ['skc_family', U16, 4], ['skc_reuse', INT, 6, 4]);
  const SOCK_COMMON = struct('sock_common', 16, ['', common, 0], ['skc_net', VOID_PTR, 8]);
  const SOCK = struct('sock', 24, ['__sk_common', SOCK_COMMON, 0], ['sk_parent', types.length + 2, 16]);
  const SOCK_PTR = pointerTo(SOCK);
  const SOCKPTR_T = struct('sockptr_t', 16, ['user', VOID_PTR, 0], ['is_kernel', BOOL, 8]);
  const BIG = struct('big', 24, ['a', LONG, 0]);

  func('tcp_v4_connect', INT, ['sk', SOCK_PTR], ['uaddr', VOID_PTR], ['addr_len', INT]);
  func('do_open', LONG, ['dfd', INT], ['filename', CHAR_PTR], ['creat', BOOL], ['mode', U16]);
  func('setsockopt', INT, ['sk', SOCK_PTR], ['optval', SOCKPTR_T], ['optlen', INT]);
  func('nothing', 0);
  func('printk', INT, ['fmt', CHAR_PTR], ['', 0]);
  func('takes_big', INT, ['big', BIG]);
  func('takes_double', INT, ['x', DOUBLE]);
  func('gives_struct', SOCKPTR_T);
  func('many', INT, ...Array.from({ length: 13 }, (_, i): [string, number] => [`a${i}`, LONG]));
  func('twelve', INT, ...Array.from({ length: 12 }, (_, i): [string, number] => [`a${i}`, LONG]));
  func('migrate_disable', 0);
  func('security_open', INT, ['sk', SOCK_PTR]);
  const trace = pointerTo(proto(0, ['', VOID_PTR], ['', SOCK_PTR], ['', INT]));
  add({ kind: 'typedef', name: 'btf_trace_sock_state', typeId: trace });
  add({ kind: 'typedef', name: 'btf_trace_unnamed', typeId: trace });
  func('__bpf_trace_sock_state', 0, ['__data', VOID_PTR], ['sk', SOCK_PTR], ['state', INT]);
  return parseBtf(encodeBtf(types));
}
