import assert from 'node:assert/strict';
import { type BtfTypeData, encodeBtf } from '@bpf/btf/build';
import { type Feature, kernelTest } from '../../../tooling/kernel-test/harness.ts';
import { btfLoad, SysError } from '../src/index.ts';

const INT: BtfTypeData = { kind: 'int', name: 'int', size: 4, bits: 32, bitOffset: 0, encoding: 'signed' };
const member = (name: string, typeId: number, bitOffset: number, bitSize = 0) => ({ name, typeId, bitOffset, bitSize });

const load: Feature = {
  name: 'btf/load',
  probe() {
    btfLoad(encodeBtf([INT])).close();
    return undefined;
  },
};

/** A kind that came with a release: tried by loading one. */
function kind(name: string, ...types: BtfTypeData[]): Feature {
  return {
    name: `btf/${name}`,
    probe() {
      load.probe();
      try {
        btfLoad(encodeBtf([INT, ...types])).close();
        return undefined;
      } catch (error) {
        if (!(error instanceof SysError) || error.code !== 'EINVAL') throw error;
        return `this kernel's BTF has no ${name}`;
      }
    },
  };
}

const float = kind('float', { kind: 'float', name: 'double', size: 8 });
const declTag = kind('decl_tag', typedef('t'), { kind: 'decl_tag', name: 'tag', typeId: 2, componentIndex: -1 });
const typeTag = kind('type_tag', { kind: 'type_tag', name: 'user', typeId: 1 });
const enum64 = kind('enum64', {
  kind: 'enum64',
  name: 'e',
  size: 8,
  signed: false,
  values: [{ name: 'A', value: 0n }],
});

function typedef(name: string): BtfTypeData {
  return { kind: 'typedef', name, typeId: 1 };
}

kernelTest(
  load,
  'loads every kind that the first kernels with BTF had',
  () => {
    const types: BtfTypeData[] = [INT];
    const int = types.length;
    const u64 = types.push({
      kind: 'int',
      name: 'unsigned long',
      size: 8,
      bits: 64,
      bitOffset: 0,
      encoding: 'unsigned',
    });
    const char = types.push({ kind: 'int', name: 'char', size: 1, bits: 8, bitOffset: 0, encoding: 'char' });
    const bool = types.push({ kind: 'int', name: '_Bool', size: 1, bits: 8, bitOffset: 0, encoding: 'bool' });
    const comm = types.push({ kind: 'array', typeId: char, indexTypeId: int, length: 16 });
    const values = [
      { name: 'ON', value: 1 },
      { name: 'OFF', value: 0 },
    ];
    const mode = types.push({ kind: 'enum', name: 'mode', size: 4, signed: false, values });
    const either = types.push({ kind: 'union', size: 8, members: [member('a', int, 0), member('b', u64, 0)] });
    const inner = types.push({ kind: 'struct', size: 4, members: [member('x', int, 0)] });
    // struct task { int pid; int flag : 3, more : 5; union { … }; char comm[16]; struct task *parent; struct { … } inner;
    //               _Bool alive; mode_t mode; };
    const task = types.length + 1;
    const members = [
      member('pid', int, 0),
      member('flag', int, 32, 3),
      member('more', int, 35, 5),
      member('', either, 64),
      member('comm', comm, 128),
      member('parent', task + 1, 256),
      member('inner', inner, 320),
      member('alive', bool, 352),
      member('mode', task + 4, 384),
    ];
    assert.equal(types.push({ kind: 'struct', name: 'task', size: 56, members }), task);
    const pointer = types.push({ kind: 'ptr', typeId: task });
    const constant = types.push({ kind: 'const', typeId: mode });
    const fast = types.push({ kind: 'volatile', typeId: constant });
    types.push({ kind: 'typedef', name: 'mode_t', typeId: fast });
    types.push({ kind: 'fwd', name: 'elsewhere', of: 'struct' }, { kind: 'fwd', name: 'nowhere', of: 'union' });
    types.push({ kind: 'restrict', typeId: pointer });
    const params = [{ name: 'task', typeId: pointer }];
    const proto = types.push({ kind: 'func_proto', returnTypeId: int, params });
    types.push({ kind: 'func', name: 'handle', typeId: proto, linkage: 'global' });
    types.push({ kind: 'func', name: 'help', typeId: proto, linkage: 'static' });
    const variable = types.push({ kind: 'var', name: 'count', typeId: u64, linkage: 'global' });
    types.push({ kind: 'datasec', name: '.bss', size: 8, vars: [{ typeId: variable, offset: 0, size: 8 }] });
    using fd = btfLoad(encodeBtf(types));
    assert.ok(fd.fd > 0);
  },
  ['root', 'caps'],
);

kernelTest(float, 'loads floats', () => {
  const sizes = [4, 8, 16].map((size): BtfTypeData => ({ kind: 'float', name: `f${size * 8}`, size }));
  btfLoad(encodeBtf(sizes)).close();
});

kernelTest(declTag, 'loads tags of declarations', () => {
  const type: BtfTypeData = { kind: 'struct', name: 's', size: 4, members: [member('a', 1, 0)] };
  const tag = (componentIndex: number): BtfTypeData => ({ kind: 'decl_tag', name: 'tag', typeId: 2, componentIndex });
  btfLoad(encodeBtf([INT, type, tag(-1), tag(0)])).close();
  assert.throws(() => btfLoad(encodeBtf([INT, type, tag(1)])), { code: 'EINVAL' });
});

kernelTest(typeTag, 'loads tags of types', () => {
  btfLoad(encodeBtf([INT, { kind: 'type_tag', name: 'user', typeId: 1 }, { kind: 'ptr', typeId: 2 }])).close();
});

kernelTest(enum64, 'loads enums of 64 bits, and signed ones', () => {
  const names = (...values: bigint[]) => values.map((value, i) => ({ name: `V${i}`, value }));
  const small = names(-1n, 1n).map(({ name, value }) => ({ name, value: Number(value) }));
  const types: BtfTypeData[] = [
    { kind: 'enum64', name: 'u', size: 8, signed: false, values: names(0n, 2n ** 64n - 1n) },
    { kind: 'enum64', name: 's', size: 8, signed: true, values: names(-(2n ** 63n), -1n) },
    { kind: 'enum', name: 'small', size: 4, signed: true, values: small },
  ];
  btfLoad(encodeBtf(types)).close();
});

kernelTest(
  load,
  "types that are refused come with the kernel's log",
  () => {
    const types: BtfTypeData[] = [INT, { kind: 'struct', name: 'pair', size: 4, members: [member('late', 1, 32)] }];
    assert.throws(
      () => btfLoad(encodeBtf(types)),
      (error) => error instanceof SysError && error.code === 'EINVAL' && /pair[\s\S]*late/.test(error.log ?? ''),
    );
    assert.throws(() => btfLoad(new Uint8Array(24)), { command: 'BPF_BTF_LOAD' });
  },
  ['root', 'caps'],
);

kernelTest(load, 'a log that is longer than the first buffer comes whole', () => {
  const many = Array.from({ length: 2000 }, (_, i) => typedef(`a_name_of_some_length_${i}`));
  assert.throws(
    () => btfLoad(encodeBtf([INT, ...many, { kind: 'struct', name: 'bad', size: 0, members: [member('a', 1, 0)] }])),
    (error) => {
      assert.ok(error instanceof SysError && error.log && error.log.length > 64 * 1024);
      assert.match(error.log, /a_name_of_some_length_0 /);
      assert.match(error.log, /bad/);
      return true;
    },
  );
});
