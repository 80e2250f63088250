// How each feature is tried: the least that needs it.
import { existsSync } from 'node:fs';
import { type BtfTypeData, encodeBtf } from '@bpf/btf/build';
import {
  add,
  assemble,
  atomicFetchAdd,
  bswap,
  exit,
  jeq32,
  jlt,
  label,
  ldMapValue,
  ldx,
  mayGoto,
  mov,
  type Program,
  storeRelease,
  stx,
} from '@bpf/insn';
import {
  btfLoad,
  enableStats,
  mapCreate,
  mapLookupBatch,
  progLoad,
  progStreamRead,
  progTestRun,
  tokenCreate,
} from '@bpf/sys';
import { kernelBtf, kernelBtfModules } from '../kernel-btf.ts';
import type { Asked } from './answer.ts';
import { loadMinimal, minimal } from './minimal.ts';

export type Feature =
  | 'atomics'
  | 'batch_ops'
  | 'bounded_loops'
  | 'btf_decl_tag'
  | 'btf_enum64'
  | 'btf_float'
  | 'btf_func_global'
  | 'btf_type_tag'
  | 'global_data'
  | 'isa_v2'
  | 'isa_v3'
  | 'isa_v4'
  | 'kernel_btf'
  | 'large_programs'
  | 'load_acquire'
  | 'map_mmap'
  | 'may_goto'
  | 'module_btf'
  | 'prog_streams'
  | 'stats'
  | 'test_run'
  | 'tokens';

interface FeatureWay extends Asked {
  /** As in `attempt`. */
  run(): boolean;
  /** The errors of a kernel that has it. */
  readonly exists?: readonly string[];
}

const INT: BtfTypeData = { kind: 'int', name: 'int', size: 4, bits: 32, bitOffset: 0, encoding: 'signed' };

function program(what: string, insns: Program, since?: string): FeatureWay {
  return { what, since, run: () => loadMinimal('socket_filter', { insns: assemble([insns, mov('r0', 0), exit()]) }) };
}

function types(what: string, more: readonly BtfTypeData[], since?: string): FeatureWay {
  return {
    what,
    since,
    run() {
      btfLoad(encodeBtf([INT, ...more])).close();
      return true;
    },
  };
}

const toStack: Program = [mov('r1', 0), stx('dw', 'r10', 'r1', -8)];
/** Above the limit of 4096 that there was before 5.2, and is for those without privilege. */
const LARGE = 4097;

export const features: Readonly<Record<Feature, FeatureWay>> = {
  atomics: program('atomic instructions that fetch', [toStack, atomicFetchAdd('dw', 'r10', 'r1', -8)], '5.12'),
  batch_ops: {
    what: 'batch operations of maps',
    run() {
      using map = mapCreate({ type: 'array', keySize: 4, valueSize: 4, maxEntries: 1 });
      return mapLookupBatch(map, new Uint8Array(4), new Uint8Array(4)).count === 1;
    },
  },
  bounded_loops: program('loops with a bound', [mov('r1', 0), label('again'), add('r1', 1), jlt('r1', 8, 'again')]),
  btf_decl_tag: types(
    'tags of declarations in BTF',
    [
      { kind: 'typedef', name: 't', typeId: 1 },
      { kind: 'decl_tag', name: 'tag', typeId: 2, componentIndex: -1 },
    ],
    '5.16',
  ),
  btf_enum64: types(
    'enums of 64 bits in BTF',
    [{ kind: 'enum64', name: 'e', size: 8, signed: false, values: [{ name: 'A', value: 0n }] }],
    '6.0',
  ),
  btf_float: types('floats in BTF', [{ kind: 'float', name: 'double', size: 8 }], '5.13'),
  btf_func_global: types('global functions in BTF', [
    { kind: 'func_proto', name: '', returnTypeId: 1, params: [] },
    { kind: 'func', name: 'f', typeId: 2, linkage: 'global' },
  ]),
  btf_type_tag: types('tags of types in BTF', [{ kind: 'type_tag', name: 'user', typeId: 1 }], '5.17'),
  global_data: {
    what: 'addresses of map values in programs (global variables)',
    run() {
      using map = mapCreate({ type: 'array', keySize: 4, valueSize: 4, maxEntries: 1 });
      return loadMinimal('socket_filter', {
        insns: assemble([ldMapValue('r1', map.fd, 0), ldx('w', 'r0', 'r1', 0), exit()]),
      });
    },
  },
  isa_v2: program('instructions of ISA v2 (jlt and its like)', [mov('r1', 0), jlt('r1', 1, 'end'), label('end')]),
  isa_v3: program('instructions of ISA v3 (32-bit jumps)', [mov('r1', 0), jeq32('r1', 1, 'end'), label('end')]),
  isa_v4: program('instructions of ISA v4 (bswap and its like)', [mov('r1', 0), bswap('r1', 16)], '6.6'),
  kernel_btf: {
    what: 'types of the kernel (/sys/kernel/btf/vmlinux)',
    config: 'CONFIG_DEBUG_INFO_BTF',
    // Without sysfs it cannot be told.
    run: () =>
      (!existsSync('/sys/kernel') || existsSync('/sys/kernel/btf/vmlinux')) &&
      kernelBtf().find('struct', 'task_struct') !== undefined,
  },
  large_programs: program(
    'programs of more than 4096 instructions',
    Array.from({ length: LARGE }, () => mov('r0', 0)),
  ),
  load_acquire: program('load_acquire and store_release', [toStack, storeRelease('dw', 'r10', 'r1', -8)], '6.15'),
  map_mmap: {
    what: 'maps to be mapped into memory',
    run() {
      mapCreate({ type: 'array', keySize: 4, valueSize: 8, maxEntries: 1, flags: ['mmapable'] }).close();
      return true;
    },
  },
  may_goto: program('may_goto', [mayGoto('end'), mov('r1', 0), label('end')], '6.9'),
  module_btf: {
    what: 'types of modules (/sys/kernel/btf)',
    since: '5.11',
    config: 'CONFIG_DEBUG_INFO_BTF_MODULES and a module that is loaded',
    run: () => kernelBtfModules().length > 0,
  },
  prog_streams: {
    what: 'streams of programs (stdout, stderr)',
    since: '6.17',
    run() {
      using prog = progLoad(minimal('socket_filter'));
      progStreamRead(prog, 'stdout');
      return true;
    },
  },
  stats: {
    what: 'statistics of programs (BPF_ENABLE_STATS)',
    run() {
      enableStats().close();
      return true;
    },
  },
  test_run: {
    what: 'test runs (BPF_PROG_TEST_RUN)',
    run() {
      using prog = progLoad(minimal('socket_filter'));
      return progTestRun(prog, { data: new Uint8Array(14) }).retval === 0;
    },
  },
  tokens: {
    what: 'tokens (BPF_TOKEN_CREATE)',
    since: '6.9',
    // A descriptor that is not open.
    run() {
      tokenCreate({ fd: 0x7fff_ffff }).close();
      return true;
    },
    exists: ['EBADF'],
  },
};
