import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';

const packages = join(import.meta.dirname, '../..');

/** Functions that a program is not made with: they answer questions, and their unit tests hold the answers. */
const noInstructions = new Set([
  ...['checkStack', 'describeTrampoline', 'getArgByName', 'getArgType', 'getReturnType', 'resolveBtfFunction'],
  ...['validateTarget', 'tracepointOf', 'iterSectionName', 'libbpfSectionName', 'contextOffset', 'returnValue'],
  ...['fentrySectionName', 'fexitSectionName', 'fmodRetSectionName', 'tpBtfSectionName', 'argOffset'],
]);

const textsOf = (folder: string, ending: string): string[] =>
  readdirSync(join(packages, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith(ending))
    .map((name) => readFileSync(join(packages, folder, name), 'utf8'));

const kernelTests = ['dsl', 'dsl-iter', 'dsl-fentry', 'dsl-maps']
  .flatMap((room) => textsOf(`${room}/test`, '.kernel.test.ts'))
  .join('\n')
  // What is only imported is not used.
  .replaceAll(/^import [^;]*;$/gms, '');

describe.each(['dsl', 'dsl-iter', 'dsl-fentry', 'dsl-maps'])('%s', async (room) => {
  const sources = textsOf(`${room}/src`, '.ts').join('\n');
  const exported = (await import(join(packages, room, 'src/index.ts'))) as Record<string, unknown>;
  const functions = Object.keys(exported).filter((name) => typeof exported[name] === 'function' && /^[a-z]/.test(name));

  test.each(functions)('%s has an example', (name) => {
    const [, doc = ''] = new RegExp(`/\\*\\*((?:(?!\\*/)[^])*)\\*/\nexport function ${name}\\b`).exec(sources) ?? [];
    expect(doc).toContain('@example');
  });

  test.each(functions.filter((name) => !noInstructions.has(name)))('a program with %s is loaded by a test', (name) => {
    expect(new RegExp(`\\b${name}\\(`).test(kernelTests)).toBe(true);
  });
});
