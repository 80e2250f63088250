import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import * as sys from '../src/index.ts';
import {
  errnoName,
  Fd,
  kernelAtLeast,
  type Machine,
  mapCreate,
  progLoad,
  SysError,
  UnavailableError,
  whyNotPermitted,
} from '../src/index.ts';

test('the exported names', () => {
  expect(Object.keys(sys).sort()).toMatchInlineSnapshot(`
    [
      "AT_FDCWD",
      "BPF_ANY",
      "BPF_EXIST",
      "BPF_F_LOCK",
      "BPF_NOEXIST",
      "Fd",
      "MapFd",
      "O_APPEND",
      "O_CLOEXEC",
      "O_CREAT",
      "O_EXCL",
      "O_NONBLOCK",
      "O_RDONLY",
      "O_RDWR",
      "O_TRUNC",
      "O_WRONLY",
      "PERF_COUNT_SW_BPF_OUTPUT",
      "PERF_COUNT_SW_CPU_CLOCK",
      "PERF_SAMPLE_RAW",
      "SysError",
      "UnavailableError",
      "bpf",
      "btfGetBytes",
      "btfGetFdById",
      "btfGetInfo",
      "btfGetNextId",
      "btfLoad",
      "capabilityNames",
      "enableStats",
      "encodeAttr",
      "errnoName",
      "errnoNumber",
      "eventFd",
      "fdKind",
      "fileOpen",
      "fileRead",
      "fileReadAll",
      "fileWrite",
      "fileWriteAll",
      "findMounts",
      "getErrno",
      "ioctl",
      "iterCreate",
      "kernelAtLeast",
      "linkCreate",
      "linkDetach",
      "linkGetFdById",
      "linkGetInfo",
      "linkGetNextId",
      "linkUpdate",
      "mapCreate",
      "mapDeleteBatch",
      "mapDeleteElem",
      "mapFile",
      "mapFlags",
      "mapFreeze",
      "mapGetFdById",
      "mapGetInfo",
      "mapGetNextId",
      "mapGetNextKey",
      "mapLookupAndDeleteBatch",
      "mapLookupAndDeleteElem",
      "mapLookupBatch",
      "mapLookupElem",
      "mapTypeSince",
      "mapUpdateBatch",
      "mapUpdateElem",
      "mmap",
      "mountOf",
      "objGet",
      "objPin",
      "pageSize",
      "parseCpuList",
      "perfEventDisable",
      "perfEventEnable",
      "perfEventOpen",
      "perfEventSetBpf",
      "pollFd",
      "possibleCpus",
      "progAssocStructOps",
      "progAttach",
      "progBindMap",
      "progDetach",
      "progGetFdById",
      "progGetInfo",
      "progGetJited",
      "progGetNextId",
      "progGetXlated",
      "progLoad",
      "progLoadWithLog",
      "progQuery",
      "progStreamRead",
      "progTestRun",
      "progTypeSince",
      "raiseMemlock",
      "rawSyscall",
      "rawTracepointOpen",
      "readMachine",
      "requireLinux",
      "taskFdQuery",
      "tokenCreate",
      "tracepointId",
      "waitReadable",
      "whyNotPermitted",
      "withScope",
    ]
  `);
});

test('error numbers have names', () => {
  expect([1, 2, 22, 524, 9999].map(errnoName)).toEqual(['EPERM', 'ENOENT', 'EINVAL', 'ENOTSUPP', 'errno 9999']);
});

test('an error is a sentence and its facts', () => {
  const error = new SysError({
    code: 'E2BIG',
    errno: 7,
    syscall: 'bpf',
    command: 'BPF_MAP_UPDATE_ELEM',
    hint: 'the map is full',
  });
  expect(error.message).toBe('bpf(BPF_MAP_UPDATE_ELEM) failed with E2BIG: the map is full');
  expect(error).toMatchObject({ name: 'SysError', code: 'E2BIG', errno: 7, command: 'BPF_MAP_UPDATE_ELEM' });
  expect(new UnavailableError('No.')).toBeInstanceOf(SysError);
});

test('kernel releases compare', () => {
  expect(kernelAtLeast('5.10.0-33-amd64', 5, 8)).toBe(true);
  expect(kernelAtLeast('5.7.19', 5, 8)).toBe(false);
  expect(kernelAtLeast('6.1.0', 5, 8)).toBe(true);
  expect(kernelAtLeast('4.19.0', 5, 8)).toBe(false);
  expect(kernelAtLeast('nonsense', 5, 8)).toBe(false);
});

const all = (1n << 41n) - 1n;
const root: Machine = { release: '6.1.0', capabilities: all, inUserNamespace: false, seccomp: false };

test.each<[string, Partial<Machine>, RegExp]>([
  ['no capability', { capabilities: 0n }, /needs CAP_BPF and CAP_PERFMON, so run it as root/],
  ['half of them', { capabilities: 1n << 39n }, /needs CAP_BPF and CAP_PERFMON/],
  ['before they were split', { capabilities: 3n << 38n, release: '5.7.0' }, /needs CAP_SYS_ADMIN, so run it as root/],
  ['a user namespace', { inUserNamespace: true }, /user namespace only/],
  ['a container', { seccomp: true }, /seccomp filter/],
  ['locked memory', { release: '5.10.0' }, /ulimit -l unlimited/],
  ['policy', {}, /lockdown or another security policy/],
  ['the two capabilities are enough', { capabilities: 3n << 38n }, /lockdown or another security policy/],
])('an EPERM is explained: %s', (_, facts, sentence) => {
  expect(whyNotPermitted({ ...root, ...facts })).toMatch(sentence);
});

test('numbers and names that the kernel cannot take are refused before the call', () => {
  const options = { type: 'hash', keySize: 4, valueSize: 8, maxEntries: 1 } as const;
  for (const bad of [-1, 2 ** 32, 1.5, Number.NaN])
    expect(() => mapCreate({ ...options, maxEntries: bad })).toThrow(
      `max_entries is ${bad}; it must be an integer in 0..4294967295`,
    );
  expect(() => mapCreate({ ...options, name: 'sixteen_letters_' })).toThrow('at most 15 of A-Z a-z 0-9 _ .');
  expect(() => mapCreate({ ...options, type: 'heap' as 'hash' })).toThrow(
    "'heap' is not a map type; they are hash, array, prog_array",
  );
  expect(() => mapCreate({ ...options, name: 'with-dash' })).toThrow(
    "the name 'with-dash' is not one that the kernel takes",
  );
  expect(() => progLoad({ type: 'socket_filter', insns: new Uint8Array(12), license: 'GPL' })).toThrow(
    'this one has 12 bytes',
  );
});

test('an Fd can be closed twice, and not used after it', () => {
  const fd = new Fd(0x7fff_ffff);
  expect(fd.disown()).toBe(0x7fff_ffff);
  expect(() => fd.fd).toThrow('this Fd is closed');
  fd.close();
  expect(fd.closed).toBe(true);
});

test('importing does no harm anywhere; the first call says what is missing', () => {
  const elsewhere = (platform: string): string => {
    const script = `
      Object.defineProperty(process, 'platform', { value: '${platform}' });
      const { mapCreate } = await import('./src/index.ts');
      try { mapCreate({ type: 'hash', keySize: 4, valueSize: 4, maxEntries: 1 }) }
      catch (error) { console.log(error.name + ': ' + error.message) }`;
    return execFileSync(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', script], {
      cwd: join(import.meta.dirname, '..'),
      encoding: 'utf8',
    });
  };
  expect(elsewhere('darwin')).toMatch(/^UnavailableError: BPF is a part of Linux, and this is macOS: run it on/);
  expect(elsewhere('win32')).toMatch(/^UnavailableError: BPF is a part of Linux, and this is Windows: run it on/);
});
