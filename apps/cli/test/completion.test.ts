import { spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { candidates, type Values } from '../src/completion/candidates.ts';
import { scripts } from '../src/completion/scripts.ts';
import { makeProgram } from '../src/program.ts';

const values: Values = {
  map: () => [
    { value: 'counts', description: '5, hash' },
    { value: '5', description: 'hash counts' },
  ],
  type: (prefix) => [{ value: `${prefix}_struct`, description: 'struct' }],
};
const found = (...words: string[]): string[] => candidates(makeProgram('0'), words, values).map(({ value }) => value);

describe('what may stand at the cursor', () => {
  test('commands, by what they begin with', () => {
    expect(found('fea')).toEqual(['features']);
    expect(found('map', 'd')).toEqual(['dump', 'delete']);
    expect(found('')).toContain('doctor');
    // For scripts only.
    expect(found('compl')).toEqual(['completion']);
    expect(found('map', 'dump', 'counts', 'd')).toEqual([]);
  });

  test('options of the command, their choices and values', () => {
    expect(found('map', 'dump', '--')).toEqual(['--json', '--help']);
    expect(found('map', 'dump', 'counts', '--j')).toEqual(['--json']);
    expect(found('asm', '--format', '')).toEqual(['hex', 'raw', 'json', 'c']);
    // As bash splits it.
    expect(found('asm', '--format', '=', 'r')).toEqual(['raw']);
    expect(found('asm', '--format', '=')).toEqual(['hex', 'raw', 'json', 'c']);
    expect(found('iter', 'sockmap', '--map', 'c')).toEqual(['counts']);
    expect(found('btf', 'dump', '--root', 'task', 'file')).toEqual(['file_struct']);
    expect(found('iter', 'task', '--pid', '')).toEqual([]);
  });

  test('arguments, by their place', () => {
    expect(found('map', 'dump', '')).toEqual(['counts', '5']);
    expect(found('map', 'dump', '--json', 'co')).toEqual(['counts']);
    // A key is anything, a path is for the shell.
    expect(found('map', 'get', 'counts', '')).toEqual([]);
    expect(found('map', 'pin', 'counts', '/sys')).toEqual([]);
    expect(found('completion', '')).toEqual(['bash', 'zsh', 'fish']);
    expect(found('btf', 'type', 'struct', 'task')).toEqual(['task_struct']);
    expect(found('doctor', '')).toEqual([]);
  });

  test('for whatever words, without an error', () => {
    for (const words of [[], ['--'], ['nothing', ''], ['-'], ['map', '--json', '--json', '-x', '']])
      expect(Array.isArray(found(...words)), JSON.stringify(words)).toBe(true);
  });
});

/** A machine's shells, with a `bpf` on their path that is the one that was built. */
describe('in a shell', () => {
  let folder = '';
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'bpf-completion-'));
    writeFileSync(
      join(folder, 'bpf'),
      `#!/bin/sh
case "$*" in
  *evil*) printf 'evil$(touch %s/pwned) x\\tdescribed: so\\n' '${folder}' ;;
  *) exec '${process.execPath}' '${join(import.meta.dirname, '../dist/bpf.cjs')}' "$@" ;;
esac
`,
    );
    chmodSync(join(folder, 'bpf'), 0o755);
    for (const [shell, script] of Object.entries(scripts)) writeFileSync(join(folder, `${shell}.sh`), script);
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  function sh(shell: string, args: string[]): string {
    const env = { ...process.env, PATH: `${folder}:${process.env.PATH}`, HOME: folder };
    const { stdout, stderr, status } = spawnSync(shell, args, { encoding: 'utf8', cwd: folder, env });
    expect({ stderr, status }, `${shell} ${args.join(' ')}`).toEqual({ stderr: '', status: 0 });
    return stdout;
  }

  const has = (shell: string): boolean => spawnSync(shell, ['--version']).status === 0;
  for (const shell of Object.keys(scripts))
    if (!has(shell)) console.log(`skipped: completion in ${shell}: not installed`);

  test.runIf(has('bash'))('the command prints the scripts', () => {
    for (const [shell, script] of Object.entries(scripts)) expect(sh('bpf', ['completion', shell])).toBe(script);
  });

  describe.runIf(has('bash'))('bash', () => {
    const complete = (...words: string[]): string[] => {
      const script = `source "$0"; COMP_WORDS=(bpf "$@"); COMP_CWORD=$#; _bpf; printf '%s\\n' "\${COMPREPLY[@]}"`;
      return sh('bash', ['--norc', '-c', script, join(folder, 'bash.sh'), ...words])
        .trimEnd()
        .split('\n');
    };

    test('commands, options and choices', () => {
      expect(complete('map', 'd')).toEqual(['dump', 'delete']);
      expect(complete('asm', '--format', '=', 'j')).toEqual(['json']);
      expect(complete('map', 'dump', '--j')).toEqual(['--json']);
      expect(complete('asm', '')).toEqual(['']);
    });

    test('it is registered for bpf, and offers files where nothing else is', () => {
      expect(sh('bash', ['--norc', '-c', `source ${folder}/bash.sh; complete -p bpf`])).toBe(
        'complete -o default -F _bpf bpf\n',
      );
    });

    test('what is in a name is not run', () => {
      expect(complete('map', 'dump', 'evil')).toEqual([`evil\\$\\(touch\\ ${folder}/pwned\\)\\ x`]);
      expect(() => sh('ls', [join(folder, 'pwned')])).toThrow();
    });
  });

  describe.runIf(has('zsh'))('zsh', () => {
    const complete = (...words: string[]): string[] => {
      const script = `compdef() { :; }; _files() { print files }; _describe() { print -l -- "\${(@P)argv[-1]}" }
source "$0"; words=(bpf "$@"); CURRENT=$#words; _bpf`;
      return sh('zsh', ['-f', '-c', script, join(folder, 'zsh.sh'), ...words])
        .trimEnd()
        .split('\n');
    };

    test('commands and options with what they are, else files', () => {
      expect(complete('map', 'd')).toEqual(['dump:print the entries of a map', 'delete:remove an entry']);
      expect(complete('asm', '--format', 'r')).toEqual(['raw:']);
      expect(complete('asm', '')).toEqual(['files']);
      expect(complete('map', 'dump', 'evil')).toEqual([`evil$(touch ${folder}/pwned) x:described: so`]);
      expect(() => sh('ls', [join(folder, 'pwned')])).toThrow();
    });
  });

  describe.runIf(has('fish'))('fish', () => {
    const complete = (line: string): string[] =>
      sh('fish', ['--no-config', '-c', `source ${folder}/fish.sh; complete -C '${line}'`])
        .trimEnd()
        .split('\n');

    test('commands and options with what they are, else files', () => {
      expect(complete('bpf map d')).toEqual(['delete\tremove an entry', 'dump\tprint the entries of a map']);
      expect(complete('bpf asm --format r')).toEqual(['raw']);
      expect(complete('bpf asm fi')).toEqual(['fish.sh']);
    });
  });
});
