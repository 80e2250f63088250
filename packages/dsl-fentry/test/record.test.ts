import { array, char, s32, struct, u8, u16, u32, u64 } from '@bpf/btf/data';
import type { Program } from '@bpf/insn';
import { format } from '@bpf/insn/text';
import { expect, test } from 'vitest';
import { copyFields, type FentryError, fieldAt, setField, stackRecord, structPtr } from '../src/index.ts';
import { makeBtf } from './types.ts';

const btf = makeBtf();
const sk = structPtr(btf, btf.find('struct', 'sock') ?? 0, 'r6');
const lines = (program: Program): string[] => format(program).split('\n');
const code = (code: FentryError['code']) => expect.objectContaining({ name: 'FentryError', code });

const Event = struct({ pid: u32, family: u16, low: u8, comm: char(16), all: array(u8, 16), net: u64, addr: s32 });
const event = stackRecord(Event, -64);

test('fields of a record are set by their names', () => {
  expect([event.at, event.size]).toEqual([-64, Event.size]);
  expect(lines(setField(event, 'pid', 'r0'))).toEqual(['*(u32 *)(r10 - 64) = r0']);
  expect(lines(setField(event, 'family', 2))).toEqual(['*(u16 *)(r10 - 60) = 2']);
  expect(fieldAt(event, 'comm')).toBe(-64 + Event.offsets.comm);
  expect(() => setField(event, 'comm', 'r0')).toThrow("setField: 'comm' has 16 bytes, and a register has 8");
  // @ts-expect-error the record has no such field
  expect(() => fieldAt(event, 'com')).toThrow(
    "the record has no field 'com'; it has pid, family, low, comm, all, net, addr",
  );
});

test('fields of a record are copied from a struct', () => {
  expect(lines(copyFields(sk, event, { family: '__sk_common.skc_family' }))).toEqual([
    'r0 = *(u16 *)(r6 + 4)',
    '*(u16 *)(r10 - 60) = r0',
  ]);
  expect(lines(copyFields(sk, event, { all: '__sk_common' })).at(-1)).toBe('call 113');
  expect(lines(copyFields(sk, event, { net: 'sk_parent.__sk_common.skc_net' }))).toHaveLength(6);
  expect(() => copyFields(sk, event, { low: '__sk_common.skc_family' })).toThrow(
    "'__sk_common.skc_family' of 'sock' has 16 bits, and 'low' only 8",
  );
  expect(() => copyFields(sk, event, { comm: '__sk_common.skc_family' })).toThrow('is no string: its type is int');
  // @ts-expect-error the record has no such field
  expect(() => copyFields(sk, event, { port: '__sk_common.skc_num' })).toThrow(code('NO_FIELD'));
});

test('a record lies in the stack', () => {
  expect(() => stackRecord(Event, -8)).toThrow(code('STACK_RANGE'));
  expect(() => stackRecord(Event, -100)).toThrow('stackRecord: -100 is not a multiple of 8');
});
