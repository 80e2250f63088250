// Lists open files, of all processes or of one:
//
//   npm run example lsof [PID]
//
// The iterator goes through the descriptors of every task. A file is shown by its inode and the last part of its path.
import { char, s32, struct, u16, u32, u64 } from '@bpf/btf/data';
import { copyFields, readField, setField, stackRecord, structPtr } from '@bpf/dsl';
import { iterProgram, loadCtxPtr, loadOrExit, returnContinue, writeRecord } from '@bpf/dsl-iter';
import { jeq, label } from '@bpf/insn';
import { kernelBtf, openIterator } from '@bpf/programs';

const [only = 0] = process.argv.slice(2).map(Number);

const btf = kernelBtf();
const OpenFile = struct({ inode: u64, pid: s32, fd: u32, mode: u16, comm: char(16), name: char(64) });
const row = stackRecord(OpenFile, -104);

const lsof = iterProgram('task_file', 'lsof', (ctx) => {
  const [task, file] = [structPtr(btf, 'task_struct', 'r7'), structPtr(btf, 'file', 'r8')];
  return [
    loadOrExit(ctx, 'r7', 'task'),
    loadOrExit(ctx, 'r8', 'file'),
    only ? [readField(task, 'r1', 'tgid'), jeq('r1', only, 'wanted'), returnContinue(), label('wanted')] : [],
    loadCtxPtr(ctx, 'r1', 'fd'),
    setField(row, 'fd', 'r1'),
    copyFields(task, row, { pid: 'tgid', comm: 'comm' }),
    copyFields(file, row, { inode: 'f_inode.i_ino', mode: 'f_inode.i_mode', name: 'f_path.dentry.d_name.name' }),
    writeRecord(ctx, row),
  ];
});

// The upper four bits of the mode.
const kinds: Readonly<Record<number, string>> = {
  1: 'FIFO',
  2: 'CHR',
  4: 'DIR',
  6: 'BLK',
  8: 'REG',
  10: 'LNK',
  12: 'SOCK',
};

console.log('   PID COMM               FD TYPE      INODE NAME');
using files = openIterator(lsof);
for (const { inode, pid, fd, mode, comm, name } of files.records(OpenFile)) {
  const kind = (kinds[mode >> 12] ?? 'ANON').padEnd(4);
  console.log(String(pid).padStart(6), comm.padEnd(16), String(fd).padStart(4), kind, String(inode).padStart(10), name);
}
