import { flatten, type Program } from '@bpf/insn';
import { format, formatInsn } from '@bpf/insn/text';
import { expect, test } from 'vitest';
import { llvmAssemble, llvmVersion } from '../../insn/test/text/llvm.ts';
import * as dsl from '../src/index.ts';
import {
  allocStackBuffer,
  argReg,
  argRegisters,
  block,
  callHelper,
  checkStack,
  currentComm,
  currentGid,
  currentPid,
  currentTid,
  currentUid,
  type DslError,
  filterByComm,
  filterByPid,
  getStack,
  getStackid,
  htonl,
  htons,
  ktimeGetNs,
  probeReadKernel,
  probeReadUser,
  probeReadUserStr,
  readField,
  readStructField,
  structPtr,
  zeroStack,
} from '../src/index.ts';
import { btf } from './types.ts';
import { hex } from './vectors.ts';

const lines = (program: Program): string[] => format(program).split('\n');
const code = (code: DslError['code']) => expect.objectContaining({ name: 'DslError', code });

test('the exported names', () => {
  expect(Object.keys(dsl).sort()).toMatchInlineSnapshot(`
    [
      "BPF_F_FAST_STACK_CMP",
      "BPF_F_REUSE_STACKID",
      "BPF_F_USER_STACK",
      "DslError",
      "allocStackBuffer",
      "argReg",
      "argRegisters",
      "block",
      "callHelper",
      "checkStack",
      "copyField",
      "copyFields",
      "currentComm",
      "currentGid",
      "currentPid",
      "currentTid",
      "currentUid",
      "fieldAt",
      "filterByComm",
      "filterByPid",
      "getStack",
      "getStackid",
      "htonl",
      "htons",
      "ktimeGetNs",
      "probeReadKernel",
      "probeReadKernelStr",
      "probeReadUser",
      "probeReadUserStr",
      "readField",
      "readString",
      "readStructField",
      "setField",
      "stackRecord",
      "structPtr",
      "zeroGaps",
      "zeroStack",
    ]
  `);
});

test('the arguments of a helper are what they are said to be', () => {
  expect(argRegisters.map((_, i) => argReg(i))).toEqual(['r1', 'r2', 'r3', 'r4', 'r5']);
  expect(() => argReg(5)).toThrow('a helper has arguments 0 to 4, and no 5');
  expect(lines(callHelper('f', 7, ['r6', 5, 0xffff_ffff, { map: 'm' }, { memory: -8, bytes: 8 }]))).toEqual([
    'r1 = r6',
    'r2 = 5',
    'w3 = -1',
    'r4 = map_fd[m] ll',
    ...['r5 = r10', 'r5 += -8'],
    'call 7',
  ]);
  expect(callHelper('f', 7, [])).toEqual([[], { kind: 'call', helper: 7 }]);
  expect(() => callHelper('f', 7, [1, 2, 3, 4, 5, 6])).toThrow(code('NO_ARGUMENT'));
  expect(() => callHelper('f', 7, [{ memory: -8, bytes: 16 }])).toThrow('f: 16 bytes at -8 are not in the stack');
  expect(() => callHelper('f', 7, [{ memory: -12, align: 8 }])).toThrow('f: -12 is not a multiple of 8');
  // @ts-expect-error the address of the stack's end
  expect(() => callHelper('f', 7, [{ memory: 'r10' }])).toThrow('f: r10 is the end of the stack: say an offset');
});

test('what must be in the stack', () => {
  for (const at of [0, 4, -513, -1.5]) expect(() => checkStack('f', at)).toThrow(code('STACK_RANGE'));
  expect(() => checkStack('f', -512, 512, 8)).not.toThrow();
  expect(() => checkStack('f', -8, 9)).toThrow('f: 9 bytes at -8 are not in the stack, whose offsets are -512..-1');
});

test('whatever registers the operands are in, each argument gets its own', () => {
  const registers = ['r1', 'r2', 'r3', 'r4', 'r6'] as const;
  let refused = 0;
  for (const dst of registers)
    for (const size of registers)
      for (const src of registers) {
        let program: Program;
        try {
          program = probeReadKernel(dst, size, src);
        } catch {
          refused++;
          continue;
        }
        const values = new Map<unknown, unknown>(registers.map((reg) => [reg, reg]));
        for (const insn of flatten(program)) if (insn.kind === 'alu') values.set(insn.dst, values.get(insn.src));
        expect([values.get('r1'), values.get('r2'), values.get('r3')]).toEqual([dst, size, src]);
      }
  // Two that change places, of which there are three pairs, each with 5 registers for the third; and two rings of three.
  expect(refused).toBe(3 * 5 + 2);
});

test('byte order, with the vectors of the reference', () => {
  expect(htons(0x5000)).toBe(0x0050);
  expect(htons(0x1f90)).toBe(0x901f);
  expect(htonl(0xc0a8_0101)).toBe(0x0101_a8c0);
  expect(htonl(0x7f00_0001)).toBe(0x0100_007f);
  expect(htonl(0xff)).toBe(0xff00_0000);
  expect(() => htons(0x1_0000)).toThrow('htons: 65536 is not a whole number in 0..0xffff');
  expect(() => htonl(-1)).toThrow(expect.objectContaining({ code: 'NUMBER_RANGE' }));
});

test('who runs', () => {
  expect(lines(currentPid())).toEqual(['call 14', 'r0 >>= 32']);
  expect(lines(currentTid())).toEqual(['call 14', 'w0 = w0']);
  expect(lines(currentUid())).toEqual(['call 15', 'w0 = w0']);
  expect(lines(currentGid())).toEqual(['call 15', 'r0 >>= 32']);
  expect(lines(ktimeGetNs())).toEqual(['call 5']);
  expect(lines(currentComm('r6'))).toEqual(['r1 = r6', 'r2 = 16', 'call 16']);
  expect(lines(getStackid('r6', 'stacks', 2))).toEqual(['r1 = r6', 'r2 = map_fd[stacks] ll', 'r3 = 2', 'call 27']);
  expect(lines(getStack('r1', -64, 64))).toEqual(['r2 = r10', 'r2 += -64', 'r3 = 64', 'r4 = 0', 'call 67']);
  expect(() => currentComm(-8)).toThrow('currentComm: 16 bytes at -8 are not in the stack');
});

test('a filter by PID', () => {
  expect(lines(filterByPid(1234, 2))).toEqual(['call 14', 'r0 >>= 32', 'if r0 != 1234 goto +2']);
  expect(() => filterByPid(-1, 'out')).toThrow('-1 is no PID');
});

test('a filter by name compares all of it', () => {
  const name = ['*(u64 *)(r10 - 16) = 0', '*(u64 *)(r10 - 8) = 0', 'r1 = r10', 'r1 += -16', 'r2 = 16', 'call 16'];
  expect(lines(filterByComm(-16, 'myprocess', 2))).toEqual([
    ...name,
    'r0 = *(u64 *)(r10 - 16)',
    `r2 = 0x${Buffer.from('myproces').reverse().toString('hex')} ll`,
    'r0 ^= r2',
    'r1 = *(u64 *)(r10 - 8)',
    `r1 ^= ${'s'.charCodeAt(0)}`,
    'r0 |= r1',
    'if r0 != 0 goto +2',
  ]);
  expect(() => filterByComm(-16, 'sixteen-bytes-xx', 0)).toThrow(
    'it has 1 to 15 bytes, as in /proc/PID/comm, and this has 16',
  );
  for (const bad of ['', 'a\0b', 'žžžžžžžž']) expect(() => filterByComm(-16, bad, 0)).toThrow(code('COMM'));
  expect(() => filterByComm(-12, 'sh', 0)).toThrow(code('STACK_RANGE'));
});

test('memory', () => {
  expect(lines(readStructField('r0', 'r6', 16, 8))).toEqual(['r0 = *(u64 *)(r6 + 16)']);
  // @ts-expect-error there is no load of 3 bytes
  expect(() => readStructField('r0', 'r6', 16, 3)).toThrow('3 bytes are no load');
  expect(lines(zeroStack(-15, 15)).map((line) => line.slice(2, 5))).toEqual(
    ['u8 ', 'u16', 'u32', 'u64'].map((t) => t.padEnd(3)),
  );
  expect(hex(probeReadKernel('r9', 4, 'r7'))).toBe(
    'bf91000000000000 b702000004000000 bf73000000000000 8500000071000000',
  );
  expect(lines(probeReadUserStr(-64, 64, 'r1'))).toEqual(['r2 = 64', 'r3 = r1', 'r1 = r10', 'r1 += -64', 'call 114']);
  expect(() => probeReadKernel('r2', 'r1', 'r3')).toThrow(code('REGISTER_CLOBBERED'));
});

test('what must not compile', () => {
  const task = structPtr(btf, 'task_struct', 'r7');
  const never = (): void => {
    // @ts-expect-error the frame pointer is read-only
    allocStackBuffer('r10', -8);
    // @ts-expect-error as above
    readField(task, 'r10', 'pid');
    // @ts-expect-error it points behind the stack
    probeReadKernel('r10', 8, 'r7');
    // @ts-expect-error an address is in a register
    probeReadUser(-8, 8, -16);
    // @ts-expect-error an offset or a register
    currentComm('stack');
    // @ts-expect-error a helper call loses it
    structPtr(btf, 'task_struct', 'r5');
    // @ts-expect-error neither memory nor a map
    callHelper('f', 1, [{ bytes: 8 }]);
    // @ts-expect-error a register is no size of a field
    readStructField('r8', 'r7', 0, 'r6');
    // @ts-expect-error a label is no number of slots, and no instruction
    block(['done']);
    // @ts-expect-error a PID is known when the program is made
    filterByPid('r6', 'out');
    // @ts-expect-error types are not a file's name
    structPtr('/sys/kernel/btf/vmlinux', 'task_struct', 'r7');
  };
  expect(never).toBeTypeOf('function');
});

const llvm = llvmVersion();
test.skipIf(llvm === undefined)(`LLVM ${llvm} makes the same bytes`, () => {
  const insns = flatten([filterByComm(-16, 'myprocess', 2), getStack('r1', -64, 64), probeReadUserStr(-64, 64, 'r1')]);
  const known = llvmAssemble(insns.map((insn) => formatInsn(insn)));
  // Old ones do not know a store of a number.
  expect(known.filter(Boolean).length).toBeGreaterThanOrEqual(insns.length - 2);
  for (const [i, insn] of insns.entries()) if (known[i]) expect(known[i].hex).toBe(hex([insn]).replaceAll(' ', ''));
});
