import { describe, expect, test } from 'vitest';
import { parseArities } from '../../../tooling/uapi/arities.ts';
import * as helpers from '../src/helpers/index.ts';

const { helperArity, helperId, helperName } = helpers;

/** Every number below one that no kernel will reach. */
const ids = Array.from({ length: 1000 }, (_, id) => id).filter((id) => helperName(id) !== undefined);

test('exports', () => {
  expect(Object.keys(helpers)).toMatchInlineSnapshot(`
    [
      "helperId",
      "helperName",
      "helperArity",
    ]
  `);
});

describe('helpers', () => {
  test('are the 212 numbers of enum bpf_func_id, without unspec', () => {
    expect(ids).toEqual(Array.from({ length: 211 }, (_, i) => i + 1));
  });

  test.each([
    ['bpf_map_lookup_elem', 1, 2],
    ['bpf_trace_printk', 6, 2],
    ['bpf_get_prandom_u32', 7, 0],
    ['bpf_get_current_comm', 16, 2],
    ['bpf_probe_read_kernel_str', 115, 3],
    ['bpf_seq_printf', 126, 5],
    ['bpf_seq_write', 127, 3],
    ['bpf_seq_printf_btf', 150, 4],
    ['bpf_get_current_task_btf', 158, 0],
    ['bpf_loop', 181, 4],
    ['bpf_cgrp_storage_delete', 211, 2],
  ])('%s is number %i and takes %i arguments', (name, id, arity) => {
    expect([helperId(name), helperName(id), helperArity(id)]).toEqual([id, name, arity]);
  });

  test('every one is found by its name, and takes up to five arguments', () => {
    for (const id of ids) {
      expect(helperId(helperName(id) ?? '')).toBe(id);
      expect([0, 1, 2, 3, 4, 5]).toContain(helperArity(id));
    }
  });

  test('what is none is undefined', () => {
    for (const id of [-1, 0, 212, 1.5, Number.NaN])
      expect([helperName(id), helperArity(id)]).toEqual([undefined, undefined]);
    for (const name of ['', 'bpf_unspec', 'map_lookup_elem', 'toString', 'undefined'])
      expect(helperId(name)).toBeUndefined();
  });
});

describe('parseArities', () => {
  test('counts the arguments that a call must have', () => {
    const header = [
      ' * u64 bpf_none(void)',
      ' * \tDescription',
      ' * void *bpf_pointer(struct bpf_map *map, const void *key)',
      ' * long bpf_variable(const char *fmt, u32 fmt_size, ...)',
      ' * 		bpf_example(in, prose)',
    ].join('\n');
    expect([...parseArities(header)]).toEqual([
      ['bpf_none', 0],
      ['bpf_pointer', 2],
      ['bpf_variable', 2],
    ]);
  });

  test('refuses prototypes that disagree', () => {
    expect(() => parseArities(' * int bpf_x(int a)\n * int bpf_x(int a, int b)\n')).toThrow('1 and 2 arguments');
  });
});
