import assert from 'node:assert/strict';
import { closeSync, openSync, readSync } from 'node:fs';
import { kernelBtf } from '@bpf/programs';
import { btfLoad } from '@bpf/sys';
import { btf as btfFeature } from '../../../tooling/kernel-test/features.ts';
import { type Feature, kernelTest } from '../../../tooling/kernel-test/harness.ts';
import { encodeBtf } from '../src/build/index.ts';
import {
  array,
  bool,
  bytes,
  char,
  checkLayout,
  decodeValue,
  encodeValue,
  enumOf,
  s64,
  schemaOf,
  schemaToBtf,
  struct,
  u8,
  u16,
  u32,
  u64,
  union,
} from '../src/data/index.ts';
import { BtfError } from '../src/index.ts';

const load: Feature = {
  name: 'btf/load',
  probe() {
    btfLoad(encodeBtf([{ kind: 'int', name: 'u32', size: 4, bits: 32, bitOffset: 0, encoding: 'unsigned' }])).close();
    return undefined;
  },
};

kernelTest(
  load,
  'loads the types of schemas',
  () => {
    const key = schemaToBtf(u32, 'pid');
    const Task = struct({
      at: s64,
      comm: char(16),
      raw: bytes(3),
      op: enumOf({ OPEN: 1, CLOSE: 2 }, u8),
      ok: bool,
      inner: struct({ port: u16, ip: array(u8, 4) }),
      one: union({ a: u32, b: array(u16, 2) }),
    });
    const Packed = struct({ a: u8, b: u64 }, { packed: true });
    schemaToBtf(Task, 'task', key.types);
    schemaToBtf(Packed, 'packed', key.types);
    btfLoad(encodeBtf(key.types)).close();
  },
  ['root', 'caps'],
);

kernelTest(btfFeature, "decodes what the kernel's own types say", () => {
  const btf = kernelBtf();
  const id = btf.find('struct', 'elf64_hdr');
  assert.ok(id !== undefined);
  const header = new Uint8Array(64);
  const fd = openSync(process.execPath, 'r');
  readSync(fd, header);
  closeSync(fd);
  const value = decodeValue(btf, id, header) as Record<string, unknown>;
  assert.deepEqual((value.e_ident as number[]).slice(0, 4), [...Buffer.from('\x7fELF')]);
  assert.deepEqual([value.e_version, value.e_ehsize, value.e_phentsize], [1, 64, 56]);
  assert.equal(typeof value.e_entry, 'bigint');
  assert.deepEqual(encodeValue(btf, id, value), header);
  const Header = struct({
    e_ident: bytes(16),
    e_type: u16,
    e_machine: u16,
    e_version: u32,
    e_entry: u64,
    e_phoff: u64,
    e_shoff: u64,
    e_flags: u32,
    e_ehsize: u16,
    e_phentsize: u16,
    e_phnum: u16,
    e_shentsize: u16,
    e_shnum: u16,
    e_shstrndx: u16,
  });
  checkLayout(btf, id, Header);
  assert.throws(() => checkLayout(btf, id, struct({ e_ident: bytes(15) })), { code: 'LAYOUT' });
});

kernelTest(btfFeature, 'has a schema for the structs of the kernel', () => {
  const btf = kernelBtf();
  let made = 0;
  let number = 0;
  for (const { id, size } of btf.all('struct')) {
    if (number++ % 29 !== 0 || size > 4096) continue; // some of all, in a time that a guest has
    const schema = schemaOf(btf, id);
    assert.equal(schema.size, size);
    schema.decode(new Uint8Array(size));
    made++;
  }
  assert.ok(made > 50, `${made}`);
  assert.throws(() => schemaOf(btf, btf.find('func', 'bpf_iter_task') ?? 0), BtfError);
});
