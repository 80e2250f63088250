import fc from 'fast-check';
import { expect, test } from 'vitest';
import { encodeAttr } from '../src/index.ts';

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
const u32 = (n: number): string => hex(new Uint8Array(Uint32Array.of(n).buffer));
const u64 = (n: bigint): string => hex(new Uint8Array(BigUint64Array.of(n).buffer));

test('BPF_MAP_CREATE', () => {
  const attr = encodeAttr('BPF_MAP_CREATE', {
    map_type: 1,
    key_size: 4,
    value_size: 8,
    max_entries: 16,
    map_flags: 1,
    inner_map_fd: 5,
    numa_node: 6,
    map_name: 'counts',
    map_ifindex: 7,
    btf_fd: 8,
    btf_key_type_id: 9,
    btf_value_type_id: 10,
    btf_vmlinux_value_type_id: 11,
    map_extra: 0x1_0000_0002n,
    map_token_fd: -1,
  });
  expect(hex(attr)).toBe(
    [1, 4, 8, 16, 1, 5, 6].map(u32).join('') +
      Buffer.from('counts\0\0\0\0\0\0\0\0\0\0').toString('hex') +
      [7, 8, 9, 10, 11].map(u32).join('') +
      u64(0x1_0000_0002n) +
      u32(0) +
      u32(0xffff_ffff) +
      u64(0n) +
      u32(0),
  );
});

test('the element commands', () => {
  const attr = encodeAttr('BPF_MAP_UPDATE_ELEM', {
    map_fd: 3,
    key: 0x7fff_1234_5678,
    value: 0x7fff_0000_0000,
    flags: 2,
  });
  expect(hex(attr)).toBe(u32(3) + u32(0) + u64(0x7fff_1234_5678n) + u64(0x7fff_0000_0000n) + u64(2n));
  expect(hex(encodeAttr('BPF_MAP_GET_NEXT_KEY', { map_fd: 3, next_key: 5 }))).toBe(
    u32(3) + u32(0) + u64(0n) + u64(5n) + u64(0n),
  );
});

test('a batch: cursors first, the map behind the count', () => {
  const attr = encodeAttr('BPF_MAP_LOOKUP_BATCH', {
    in_batch: 1,
    out_batch: 2,
    keys: 3,
    values: 4,
    count: 5,
    map_fd: 6,
    elem_flags: 7,
    flags: 8,
  });
  expect(hex(attr)).toBe(u64(1n) + u64(2n) + u64(3n) + u64(4n) + u32(5) + u32(6) + u64(7n) + u64(8n));
});

test('BPF_PROG_LOAD', () => {
  const attr = encodeAttr('BPF_PROG_LOAD', {
    prog_type: 26,
    insn_cnt: 2,
    prog_name: 'x',
    attach_btf_id: 77,
    log_true_size: 9,
  });
  const view = new DataView(attr.buffer);
  expect(attr.length).toBe(168);
  expect([0, 4, 108, 140].map((at) => view.getUint32(at, true))).toEqual([26, 2, 77, 9]);
  expect(attr[48]).toBe('x'.charCodeAt(0));
});

test('pins, raw tracepoints, test runs', () => {
  expect(hex(encodeAttr('BPF_OBJ_PIN', { pathname: 1, bpf_fd: 2, file_flags: 3, path_fd: -100 }))).toBe(
    u64(1n) + u32(2) + u32(3) + u32(0xffff_ff9c),
  );
  expect(hex(encodeAttr('BPF_RAW_TRACEPOINT_OPEN', { name: 0, prog_fd: 9, cookie: 3n }))).toBe(
    u64(0n) + u32(9) + u32(0) + u64(3n),
  );
  const run = { prog_fd: 1, data_size_in: 2, data_in: 3, repeat: 4, ctx_size_in: 5, flags: 6, cpu: 7, batch_size: 8 };
  expect(hex(encodeAttr('BPF_PROG_TEST_RUN', run))).toBe(
    [1, 0, 2, 0].map(u32).join('') +
      u64(3n) +
      u64(0n) +
      [4, 0, 5, 0].map(u32).join('') +
      u64(0n) +
      u64(0n) +
      [6, 7, 8].map(u32).join(''),
  );
});

test('what a field cannot hold is refused, and never cut', () => {
  fc.assert(
    fc.property(fc.double(), (value) => {
      const encode = () => encodeAttr('BPF_MAP_CREATE', { max_entries: value });
      if (Number.isInteger(value) && value >= 0 && value < 2 ** 32)
        expect(new DataView(encode().buffer).getUint32(12, true)).toBe(value + 0); // -0 is 0
      else expect(encode).toThrow(/^max_entries is .*; it must be an integer in 0\.\.4294967295$/);
    }),
  );
  for (const bad of [-1, 1.5, Number.NaN, 2 ** 53, -1n, 2n ** 64n])
    expect(() => encodeAttr('BPF_MAP_CREATE', { map_extra: bad })).toThrow(RangeError);
  for (const bad of [2 ** 31, -(2 ** 31) - 1, 0.5])
    expect(() => encodeAttr('BPF_MAP_CREATE', { map_token_fd: bad })).toThrow(RangeError);
  expect(() => encodeAttr('BPF_MAP_CREATE', { map_name: '0123456789abcdef' })).toThrow('longer than 15 bytes');
  // @ts-expect-error: such a field there is not
  expect(() => encodeAttr('BPF_MAP_CREATE', { prog_type: 1 })).toThrow("there is no field 'prog_type' in map_create");
});
