import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { s32, struct, u32, u64 } from '@bpf/btf/data';
import { copyFields, probeReadKernelStr, readField, readString, stackRecord, structPtr } from '@bpf/dsl';
import { add, and, jeq, label, mov, st, stx } from '@bpf/insn';
import { createMap } from '@bpf/maps';
import { kernelBtf, openIterator } from '@bpf/programs';
import { iterator } from '../../../tooling/kernel-test/features.ts';
import { kernelTest } from '../../../tooling/kernel-test/harness.ts';
import {
  iterProgram,
  loadOrExit,
  returnContinue,
  seqPrintf,
  seqPrintfBtf,
  seqWrite,
  taskFieldOffset,
  taskLoadPid,
  taskLoadTgid,
  writeRecord,
} from '../src/index.ts';
import { printed, rows } from './kit.ts';

const task = iterator('task');

/** Leaves the program unless the task in r7 is of this process. */
const onlyOwn = (at: string) => [
  taskLoadTgid(kernelBtf(), 'r7', 'r1'),
  jeq('r1', process.pid, at),
  returnContinue(),
  label(at),
];

kernelTest(task, 'seqPrintf prints numbers, addresses and strings of the kernel', () => {
  const btf = kernelBtf();
  const lines = printed(
    iterProgram('task', 'printf', (ctx) => [
      loadOrExit(ctx, 'r7', 'task'),
      onlyOwn('own'),
      taskLoadPid(btf, 'r7', 'r3'), // a register that the call overwrites
      [mov('r8', 'r7'), add('r8', taskFieldOffset(btf, 'comm'))],
      seqPrintf(ctx, 'pid %d comm %s %x%% %lld\n', ['r3', 'r8', 255, -7], -64),
    ]),
  );
  const tids = readdirSync('/proc/self/task');
  assert.ok(lines.length >= tids.length);
  const [, pid, comm] = /^pid (\d+) comm (.+) ff% -7$/.exec(lines[0] ?? '') ?? [];
  assert.ok(tids.includes(pid ?? ''), lines[0]);
  assert.equal(`${comm}\n`, readFileSync(`/proc/self/task/${pid}/comm`, 'latin1'));
});

kernelTest(task, 'the length may be in a register whose bounds are known', () => {
  using pass = openIterator(
    iterProgram('task', 'lengths', (ctx) => [
      loadOrExit(ctx, 'r7', 'task'),
      onlyOwn('own'),
      st('dw', 'r10', -8, 0x41),
      taskLoadPid(kernelBtf(), 'r7', 'r8'),
      [and('r8', 3), add('r8', 1)],
      seqWrite(ctx, -8, 'r8'),
    ]),
  );
  const lengths = readdirSync('/proc/self/task').map((tid) => (Number(tid) & 3) + 1);
  const wanted = lengths.reduce((sum, length) => sum + length, 0);
  assert.equal(pass.read().byteLength, wanted);
});

kernelTest(
  task,
  'fields at any depth, cut out of bits, and behind NULL',
  () => {
    const btf = kernelBtf();
    const Row = struct({ pid: s32, leader: s32, parent: s32, bit: u32, code: u64, inode: u64 });
    const row = stackRecord(Row, -32);
    const all = rows(
      iterProgram('task', 'fields', (ctx) => [
        loadOrExit(ctx, 'r7', 'task'),
        copyFields(structPtr(btf, 'task_struct', 'r7'), row, {
          pid: 'pid',
          leader: 'group_leader.pid',
          parent: 'real_parent.tgid',
          bit: 'sched_reset_on_fork',
          code: 'mm.start_code',
          inode: 'mm.exe_file.f_inode.i_ino',
        }),
        writeRecord(ctx, row),
      ]),
      Row,
    );
    const { pid, ppid } = process;
    const code = BigInt(readFileSync('/proc/self/stat', 'latin1').split(' ')[25] ?? '');
    const own = all.find((one) => one.pid === pid);
    assert.ok(own && own.inode > 0n);
    assert.deepEqual(own, { pid, leader: pid, parent: ppid, bit: 0, code, inode: own.inode });
    // Threads of the kernel have no memory of their own: mm is NULL.
    const kthreadd = all.find((one) => one.pid === 2);
    assert.deepEqual(kthreadd, { pid: 2, leader: 2, parent: 0, bit: 0, code: 0n, inode: 0n });
  },
  ['root', 'caps'],
);

kernelTest(
  task,
  'a string that is shorter than the one before it does not show its end',
  () => {
    const btf = kernelBtf();
    using pass = openIterator(
      iterProgram('task', 'strings', (ctx) => {
        const own = structPtr(btf, 'task_struct', 'r7');
        return [
          loadOrExit(ctx, 'r7', 'task'),
          onlyOwn('own'),
          [st('dw', 'r10', -16, -1), st('dw', 'r10', -8, -1)],
          readString(own, 'comm', -16, 8), // cut to 8 bytes with its NUL
          seqWrite(ctx, -16, 16),
          [st('dw', 'r10', -16, -1), st('dw', 'r10', -8, -1)],
          readString(own, 'comm', -16, 16),
          stx('dw', 'r10', 'r0', -24),
          seqWrite(ctx, -24, 24), // the length, with the NUL, and the name
          // What cannot be read is zeroed.
          [mov('r1', 1), st('dw', 'r10', -16, -1), probeReadKernelStr(-16, 8, 'r1')],
          stx('dw', 'r10', 'r0', -8),
          seqWrite(ctx, -16, 16),
        ];
      }),
    );
    const [first] = pass.records(56);
    const text = Buffer.from(first ?? []).toString('latin1');
    const comm = readFileSync(`/proc/self/comm`, 'latin1').trim();
    assert.equal(text.slice(0, 16), `${comm.slice(0, 7).padEnd(8, '\0')}${'\xff'.repeat(8)}`);
    assert.equal(text.slice(16, 40), `${String.fromCharCode(comm.length + 1).padEnd(8, '\0')}${comm.padEnd(16, '\0')}`);
    // -EFAULT, or -ERANGE where this can be no address of the kernel.
    assert.match(text.slice(40), /^\0{8}[\xf2\xde]\xff{7}$/);
  },
  ['root', 'caps'],
);

kernelTest(iterator('bpf_map'), 'seqPrintfBtf prints a struct as the kernel sees it', () => {
  const btf = kernelBtf();
  using map = createMap({ type: 'array', valueSize: 24, maxEntries: 7, name: 'printed' });
  const text = printed(
    iterProgram('bpf_map', 'print_btf', (ctx) => {
      const ptr = structPtr(btf, 'bpf_map', 'r7');
      return [
        loadOrExit(ctx, 'r7', 'map'),
        [readField(ptr, 'r1', 'id'), jeq('r1', map.info.id, 'own'), returnContinue(), label('own')],
        seqPrintfBtf(ctx, ptr, -16, ['compact']),
      ];
    }),
  ).join('\n');
  assert.match(
    text,
    new RegExp(`\\.value_size = \\(u32\\)24,\\.max_entries = \\(u32\\)7,.*\\.id = \\(u32\\)${map.info.id},`),
  );
});
