import assert from 'node:assert/strict';
import { kernelBtf } from '@bpf/programs';
import { readMachine } from '@bpf/sys';
import { commandSince, mapTypeSince, progTypeSince } from '../../packages/sys/src/since.ts';
import * as uapi from '../../packages/sys/src/uapi.gen.ts';
import { btf } from '../kernel-test/features.ts';
import { kernelTest } from '../kernel-test/harness.ts';
import { describeUapi } from './describe.ts';

kernelTest(btf, "what was generated is what this kernel's BTF says", () => {
  const kernel = describeUapi(kernelBtf());
  for (const [name, { fields }] of Object.entries(kernel.structs)) {
    const generated = (uapi.structs as Record<string, { readonly fields: object }>)[name];
    assert.ok(generated, `union bpf_attr has a member that was not generated: ${name}`);
    for (const [field, place] of Object.entries(fields))
      assert.deepEqual((generated.fields as Record<string, unknown>)[field], place, `${name}.${field}`);
  }
  const { bpf_cmd, bpf_map_type, bpf_prog_type, bpf_attach_type, bpf_link_type, map_flags } = kernel.enums;
  assert.ok(bpf_cmd && bpf_map_type && bpf_prog_type && bpf_attach_type && bpf_link_type && map_flags);
  check(bpf_cmd, uapi.BPF_CMD, (name) => (name === 'BPF_PROG_RUN' ? 'BPF_PROG_TEST_RUN' : name));
  check(bpf_map_type, uapi.mapTypes, (name) => lower('BPF_MAP_TYPE_', name).replace(/_deprecated$/, ''));
  check(bpf_prog_type, uapi.progTypes, (name) => lower('BPF_PROG_TYPE_', name));
  check(bpf_attach_type, uapi.attachTypes, (name) => lower('BPF_', name));
  check(bpf_link_type, uapi.linkTypes, (name) => lower('BPF_LINK_TYPE_', name));
  check(map_flags, uapi.mapFlags, (name) => lower('BPF_F_', name));
});

kernelTest(btf, 'what came with a release is there from that release on', () => {
  const { enums } = describeUapi(kernelBtf());
  const [, major, minor] = /^(\d+)\.(\d+)/.exec(readMachine().release) ?? [];
  const isThere = (since: string | undefined): boolean => {
    const [a = 0, b = 0] = (since ?? '0').split('.').map(Number);
    return Number(major) > a || (Number(major) === a && Number(minor) >= b);
  };
  for (const command of Object.keys(uapi.BPF_CMD) as (keyof typeof uapi.BPF_CMD)[])
    assert.equal(enums.bpf_cmd?.[command] !== undefined, isThere(commandSince[command]), command);
  for (const type of Object.keys(uapi.mapTypes))
    assert.equal(
      enums.bpf_map_type?.[`BPF_MAP_TYPE_${type.toUpperCase()}`] !== undefined,
      isThere(mapTypeSince[type]),
      type,
    );
  for (const type of Object.keys(uapi.progTypes))
    assert.equal(
      enums.bpf_prog_type?.[`BPF_PROG_TYPE_${type.toUpperCase()}`] !== undefined,
      isThere(progTypeSince[type]),
      type,
    );
});

/** Each of the kernel's names, but those for nothing and for everything, has its number. */
function check(
  kernel: Readonly<Record<string, number>>,
  generated: Readonly<Record<string, number>>,
  nameOf: (name: string) => string,
): void {
  for (const [name, number] of Object.entries(kernel))
    if (!/UNSPEC$|^MAX_|^BPF_COMMON_ATTRS$/.test(name)) assert.equal(generated[nameOf(name)], number, name);
}

const lower = (prefix: string, name: string): string => name.replace(prefix, '').toLowerCase();
