import assert from 'node:assert/strict';
import { call, captureSource, exit, flatten, type Insn, jeq, label, ldx, mov, type Program } from '@bpf/insn';
import { mapCreate } from '@bpf/sys';
import { progLoading } from '../../../tooling/kernel-test/features.ts';
import { kernelTest } from '../../../tooling/kernel-test/harness.ts';
import { kernelBtf, loadProgram, type ProgramSpec, VerifierError } from '../src/index.ts';
import { catalogue } from './verifier-catalogue.ts';
import type { Refused } from './verifier-catalogue-parts.ts';

/** The error of a program that is refused; the maps are those of the catalogue. */
function refusal(spec: ProgramSpec): VerifierError | undefined {
  const value = { keySize: 4, valueSize: 8, maxEntries: 1 };
  using counts = mapCreate({ ...value, type: 'hash', name: 'counts' });
  using codes = mapCreate({ ...value, type: 'array', flags: ['rdonly_prog'] });
  using sink = mapCreate({ ...value, type: 'array', flags: ['wronly_prog'] });
  using events = mapCreate({ type: 'ringbuf', keySize: 0, valueSize: 0, maxEntries: 4096 });
  try {
    loadProgram(spec, { maps: { counts, codes, sink, events } }).close();
    return undefined;
  } catch (error) {
    if (error instanceof VerifierError) return error;
    throw error;
  }
}

/** The same instructions, each of which remembers a line of its own. */
function remembering(program: Program): Insn[] {
  return flatten(program).map((insn, line) => ({ ...insn, at: { file: 'catalogue.ts', line: line + 1, column: 1 } }));
}

/** What is wrong with what is said of an entry of the catalogue. */
function judge({ name, spec, ...right }: Refused, lines: boolean): string | undefined {
  const instructions = lines ? remembering(right.instructions) : right.instructions;
  const error = refusal({ name, type: 'socket_filter', instructions, ...spec });
  if (!error) return right.accepted === undefined ? `${name}: is accepted` : undefined;
  const { reason, hint, slot, log } = error;
  const wrong = [
    ...(right.reason.test(reason) ? [] : ['reason']),
    ...(right.hint.test(hint ?? '') ? [] : ['hint']),
    ...(slot === right.slot || (slot === undefined && right.slotMayLack) ? [] : ['slot']),
    ...(slot === undefined || error.source === error.insn?.at ? [] : ['source']),
    ...(!lines || slot === undefined || error.source?.file === 'catalogue.ts' ? [] : ['no source']),
  ];
  return wrong.length > 0 ? `${name}: wrong ${wrong}, slot ${slot}: ${reason}: ${hint}\n${log.slice(-500)}` : undefined;
}

kernelTest(progLoading, 'what the verifier says of each program of the catalogue is understood', () => {
  const entries = catalogue(kernelBtf().find('func', 'vfs_read') ?? 0);
  assert.ok(entries.length >= 40, `${entries.length} programs`);
  // Half of them with lines, which the kernel then quotes in its log.
  const wrong = entries.map((entry, i) => judge(entry, i % 2 === 0)).filter((words) => words !== undefined);
  assert.equal(wrong.join('\n\n'), '');
});

kernelTest(progLoading, "a verifier's refusal leads to the line that built the instruction", () => {
  const program: Insn[] = captureSource(() => [mov('r0', 'r2'), exit()]);
  const at = program[0]?.at;
  assert.ok(at);
  const error = refusal({ name: 'ps', type: 'socket_filter', instructions: program });
  assert.ok(error);
  assert.deepEqual([error.slot, error.insn, error.source], [0, program[0], at]);
  const [first = '', second, ...rest] = error.message.split('\n');
  assert.match(first, /^program 'ps' was refused at \S+:\d+:\d+: r0 = r2$/);
  assert.ok(first.includes(`:${at.line}:${at.column}: `), first);
  assert.equal(second, 'R2 !read_ok: r2 was not written on the way here; write it first');
  assert.deepEqual(rest, []);
});

kernelTest(progLoading, "the verifier's steps are those of the path to the refusal", () => {
  const instructions = [
    mov('r6', 'r1'), // 0
    call(7),
    jeq('r0', 7, 'bad'), // 2
    mov('r0', 0),
    exit(),
    label('bad'),
    ldx('w', 'r0', 'r6', 400), // 5
    exit(),
  ];
  const error = refusal({ name: 'steps', type: 'socket_filter', instructions });
  assert.deepEqual(
    error?.steps.map(({ slot }) => slot),
    [0, 1, 2, 5],
  );
  const at = (slot: number) => error?.steps.find((step) => step.slot === slot);
  assert.equal(at(0)?.text, 'r6 = r1');
  // At the start of the other branch every kernel prints what it knows.
  const { r6, r10 } = at(5)?.before ?? {};
  assert.match(r6 ?? '', /^ctx\(.*\)$/);
  assert.equal(r10, 'fp0');
});
