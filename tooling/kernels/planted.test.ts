// Plants what can go wrong in a guest, and sees that each is reported as what it is.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import type { Profile } from '../kernel-test/profiles.ts';
import { bootGuest } from './guest.ts';
import { baseInitrd, jobInitrd } from './initrd.ts';
import { cachedKernels } from './kernel.ts';
import { type KernelResult, readResult } from './result.ts';
import type { Context } from './run.ts';
import { archOf, compareSeries } from './series.ts';
import { haveTools } from './tools.ts';

const context: Context = {
  cache: fileURLToPath(new URL('../../.cache/kernels', import.meta.url)),
  signal: new AbortController().signal,
  say: console.log,
};
const kernels = haveTools(context, 'x64') ? await cachedKernels(context) : [];
// Of x64: those of arm64 are slower, and what a guest does with a failure is the same.
const ofHost = kernels.filter(({ series }) => archOf(series) === 'x64');
const kernel = ofHost.sort((a, b) => compareSeries(a.series, b.series)).at(-1);
if (!kernel) console.log('planted trials skipped: no kernel in the cache (npm run test:kernels fetches some)');

const planted = (name: string, body: () => Promise<void>) => test.skipIf(!kernel)(name, body, 180_000);
const PASSING = `console.log(JSON.stringify({ feature: 'map', name: 'before', status: 'passed' }));\n`;
const FAILING = `console.log(JSON.stringify({ feature: 'map', name: 'wrong', status: 'failed', error: 'no' }));\n`;
const DONE = `console.log(JSON.stringify({ done: true }));\n`;

async function boot(source: string, profiles: Profile[], seconds = 120): Promise<KernelResult> {
  if (!kernel) throw new Error('no kernel');
  const folder = mkdtempSync(`${tmpdir()}/planted-`);
  try {
    writeFileSync(`${folder}/kernel-tests.mjs`, source);
    const bases = new Map([['x64', await baseInitrd(context, 'x64', process.execPath)] as const]);
    const job = { bases, archive: jobInitrd(folder), profiles, environment: {}, seconds };
    return readResult(kernel, await bootGuest(context, kernel, job), profiles);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

planted('a failing test is a failing test', async () => {
  const result = await boot(`${PASSING}${FAILING}${DONE}process.exitCode = 1;`, ['root']);
  expect(result.ending).toBe('exited 1');
  expect(result.problems).toEqual([]);
  expect(result.tests.map(({ name, status }) => `${name} ${status}`)).toEqual(['before passed', 'wrong failed']);
});

planted('each profile answers for itself, with the rights it has', async () => {
  const source = `
    import { readFileSync } from 'node:fs';
    const profile = process.env.BPF_TEST_PROFILE;
    const rights = /CapEff:\\s*(\\w+)/.exec(readFileSync('/proc/self/status', 'utf8'))[1];
    const name = process.getuid() + ' ' + BigInt('0x' + rights).toString(16);
    console.log(JSON.stringify({ feature: 'rights', name, status: 'passed' }));
    if (profile === 'caps') throw new Error('planted crash');
    if (profile === 'none') process.exit(7);
    ${DONE}`;
  const result = await boot(source, ['root', 'caps', 'none']);
  expect(result.ending).toBe('exited 7');
  expect(result.tests.map(({ profile, name }) => `${profile} ${name}`)).toEqual([
    expect.stringMatching(/^root 0 [13]?[f]+$/),
    'caps 65534 c000000000',
    'none 65534 0',
  ]);
  expect(result.problems).toHaveLength(2);
  expect(result.problems[0]).toMatch(/^caps: exit code 1, but the tests did not come to their end[\s\S]*planted crash/);
  expect(result.problems[1]).toMatch(/^none: the tests ended with exit code 7/);
});

planted('a panic is a dead guest', async () => {
  const panic = `(await import('node:fs')).writeFileSync('/proc/sysrq-trigger', 'c');`;
  const result = await boot(`${PASSING}${panic}${DONE}`, ['root', 'none']);
  expect(result.ending).toBe('guest died');
  expect(result.tests.map(({ name }) => name)).toEqual(['before']);
  expect(result.problems).toHaveLength(1);
  expect(result.problems[0]).toMatch(/^the guest died while running as root: Kernel panic - .*sysrq[\s\S]*TASK/);
});

planted('a hang is a time limit', async () => {
  const result = await boot(`${PASSING}for (;;);`, ['root'], 20);
  expect(result.ending).toBe('time limit');
  expect(result.tests.map(({ name }) => name)).toEqual(['before']);
  expect(result.problems[0]).toMatch(/^time limit: ended after 2\d s, while running as root/);
});
