import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { parseBtf } from '@bpf/btf';
import {
  assemble,
  call,
  callSubprog,
  captureSource,
  exit,
  type Insn,
  label,
  ldAbs,
  lddw,
  ldFunc,
  ldx,
  mov,
  type Program,
  type SourceLocation,
} from '@bpf/insn';
import { btfGetBytes, btfGetFdById, type ProgType, progGetInfo, UnavailableError } from '@bpf/sys';
import { progLoading } from '../../../tooling/kernel-test/features.ts';
import { kernelTest } from '../../../tooling/kernel-test/harness.ts';
import { type Program as Loaded, loadProgram, VerifierError } from '../src/index.ts';
import { loadWithLines, makeLineInfo } from '../src/line-info.ts';

/** Instructions, wide ones and a function among them. */
const build = (): Insn[] => [lddw('r6', 1n << 40n), callSubprog('half'), exit(), label('half'), mov('r0', 21), exit()];
const filter = (instructions: readonly Insn[]) =>
  ({ name: 'twenty-one', type: 'socket_filter', instructions }) as const;

/** The log of a program that is refused. */
function logOf(instructions: readonly Insn[]): string {
  try {
    loadProgram(filter(instructions)).close();
  } catch (error) {
    if (error instanceof VerifierError) return error.log;
    throw error;
  }
  throw new Error('it was accepted');
}

function functionsIn(program: Loaded): string[] | undefined {
  const { btfId } = progGetInfo(program);
  if (btfId === 0) return undefined;
  using fd = btfGetFdById(btfId);
  const btf = parseBtf(btfGetBytes(fd));
  const types = Array.from({ length: btf.count }, (_, i) => btf.type(i + 1));
  return types.filter(({ kind }) => kind === 'func').map(({ name }) => name);
}

kernelTest(progLoading, 'line info: functions and lines are loaded where instructions remember their source', () => {
  using program = loadProgram(filter(captureSource(build)));
  assert.deepEqual(functionsIn(program), ['twenty_one', 'half']);
  using without = loadProgram(filter(captureSource(build)), { lineInfo: false });
  assert.equal(functionsIn(without), undefined);
  using forgetful = loadProgram(filter(build()));
  assert.equal(functionsIn(forgetful), undefined);
});

kernelTest(progLoading, "line info: the verifier's log quotes the source", () => {
  const program: Insn[] = captureSource(() => [mov('r6', 1), exit()]);
  const at = program[0]?.at;
  assert.ok(at);
  const { file, line } = at;
  const text = readFileSync(file.replace(/^file:\/\//, ''), 'utf8')
    .split('\n')
    [line - 1]?.trim();
  assert.ok(text);
  const lines = logOf(program).split('\n');
  const quote = lines[lines.findIndex((candidate) => candidate.startsWith('0: (b7)')) - 1];
  // Since Linux 6.8 with the place.
  const shown = text.slice(0, 300);
  assert.ok(quote === `; ${shown}` || quote === `; ${shown} @ ${basename(file)}:${line}`, `${quote} is not ${shown}`);
});

kernelTest(progLoading, 'line info: any source can be quoted', () => {
  const folder = mkdtempSync(join(tmpdir(), 'bpf-lines-'));
  try {
    const file = join(folder, 'größe.ts');
    writeFileSync(file, `\tmov('r6', 1); // größer\n${'x'.repeat(5000)} + exit() ${'y'.repeat(5000)}`);
    const at = (line: number, column: number): SourceLocation => ({ file, line, column });
    const log = logOf([
      { ...mov('r6', 1), at: at(1, 2) },
      { ...mov('r6', 2), at: at(2, 5004) },
      { ...mov('r6', 3), at: at(77, 5000) }, // there is no such line
      { ...mov('r6', 4), at: { file: `${'/long'.repeat(900)}.ts`, line: 2 ** 31, column: 2 ** 31 } },
      exit(), // remembers nothing
    ]);
    const quotes = log.split('\n').filter((line) => line.startsWith('; '));
    const texts = quotes.map((line) => line.replace(/ @ .*/, ''));
    assert.deepEqual(texts, [
      "; mov('r6', 1); // größer",
      `; exit() ${'y'.repeat(293)}`,
      '; r6 = 3',
      '; r6 = 4',
      '; exit',
    ]);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

kernelTest(
  progLoading,
  'line info makes no difference to what is accepted',
  () => {
    const LOOP = 181;
    const zero = () => [mov('r0', 0), exit()];
    const called = () => [
      [mov('r1', 4), ldFunc('r2', 'turn'), mov('r3', 0), mov('r4', 0), call(LOOP), mov('r0', 0), exit()],
      [label('turn'), mov('r0', 0), callSubprog('deep'), exit(), label('deep'), mov('r0', 0), exit()],
    ];
    const specs: readonly { type: ProgType; build: () => Program }[] = [
      ...(['xdp', 'sched_cls', 'cgroup_skb', 'kprobe', 'raw_tracepoint', 'perf_event'] as const).map((type) => ({
        type,
        build: zero,
      })),
      { type: 'socket_filter', build: called },
      { type: 'socket_filter', build: () => [mov('r6', 'r1'), ldAbs('w', 0), exit()] },
      { type: 'kprobe', build: () => [mov('r0', 'r1'), callSubprog(1), exit(), ldx('dw', 'r0', 'r1', 112), exit()] },
    ];
    for (const { type, build } of specs) {
      const spec = { name: type, type, instructions: captureSource(build) };
      const load = (lineInfo: boolean): string => {
        try {
          using program = loadProgram(spec, { lineInfo });
          return progGetInfo(program).btfId === 0 ? 'without types' : 'with types';
        } catch (error) {
          // No network programs with CAP_BPF alone; callbacks and bpf_loop came with Linux 5.13 and 5.17.
          if (error instanceof VerifierError || error instanceof UnavailableError) return error.message;
          throw error;
        }
      };
      const [without, lines] = [load(false), load(true)];
      // What calls back is not loaded without types.
      assert.equal(lines, without === 'without types' ? 'with types' : without);
      assert.ok(type !== 'socket_filter' || /^with types$|unknown func|unrecognized bpf_ld_imm64/.test(lines), lines);
    }
  },
  ['root', 'caps'],
);

kernelTest(progLoading, 'line info that the kernel does not take is left out', () => {
  const spec = filter(captureSource(build));
  const insns = assemble(spec.instructions);
  const lines = makeLineInfo(spec, insns);
  assert.ok(lines);
  const options = { type: 'socket_filter', insns, license: 'GPL' } as const;
  const [first = new Uint8Array(), rest] = [lines.lineInfo.slice(0, 16), lines.lineInfo.slice(16)];
  for (const wrong of [
    lines,
    { ...lines, btf: Uint8Array.of(1, 2, 3) },
    { ...lines, funcInfo: lines.funcInfo.slice(0, 8) },
    { ...lines, lineInfo: Uint8Array.from([...rest, ...first]) },
    { ...lines, lineInfo: rest },
    undefined,
  ]) {
    using prog = loadWithLines(options, wrong);
    assert.equal(progGetInfo(prog).btfId !== 0, wrong === lines);
  }
});

kernelTest(progLoading, 'line info is shown by bpftool, where it is', () => {
  using program = loadProgram(filter(captureSource(build)));
  const bpftool = ['/usr/sbin/bpftool', '/usr/bin/bpftool'].find((file) => existsSync(file));
  if (!bpftool) return;
  const { id } = progGetInfo(program);
  const { stdout } = spawnSync(bpftool, ['-n', 'prog', 'dump', 'xlated', 'id', String(id), 'linum'], {
    encoding: 'utf8',
  });
  assert.match(stdout, /int half\(/);
  for (const { kind, at } of program.spec.instructions as readonly Insn[])
    if (at && kind !== 'label')
      assert.ok(stdout.includes(`[file:${at.file} line_num:${at.line} line_col:${at.column}]`), stdout);
});
