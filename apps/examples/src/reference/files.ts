// Files by their system calls: writes a file in one go and in steps, and reads it again.
//
//   npm run example files [PATH]
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  fileOpen,
  fileRead,
  fileReadAll,
  fileWrite,
  fileWriteAll,
  O_APPEND,
  O_CREAT,
  O_EXCL,
  O_RDONLY,
  O_WRONLY,
  SysError,
} from '@bpf/sys';

const path = process.argv[2] ?? join(tmpdir(), `files-${process.pid}`);
const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);

console.log(`wrote ${fileWriteAll(path, 'Hello, ', 0o600)} bytes`);
{
  using file = fileOpen(path, O_WRONLY | O_APPEND);
  console.log(`wrote ${fileWrite(file, 'World!\n')} bytes`);
} // closed here
{
  using file = fileOpen(path, O_RDONLY);
  console.log(`read '${text(fileRead(file, 5))}', and then '${text(fileRead(file, 3))}'`);
}
console.log(`all of it: ${text(fileReadAll(path)).trim()}`);
try {
  fileOpen(path, O_CREAT | O_EXCL | O_WRONLY).close();
} catch (error) {
  if (!(error instanceof SysError)) throw error;
  console.log(`not made again: ${error.code}`);
}
