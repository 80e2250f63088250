import { doctor } from '@bpf/programs';
import { jsonLine, print } from './output.ts';
import { styled } from './terminal.ts';

const marks = { ok: 'ok', warning: 'WARNING', problem: 'PROBLEM' } as const;
const colours = { ok: 'green', warning: 'yellow', problem: 'red' } as const;

/** `bpf doctor`. */
export async function diagnose(options: { readonly json?: true }): Promise<void> {
  const findings = doctor();
  if (findings.some(({ status }) => status === 'problem')) process.exitCode = 1;
  if (options.json) return print(findings.map(jsonLine));
  const width = Math.max(...findings.map(({ name }) => name.length));
  return print(
    findings.map(({ name, status, found, advice }) => {
      const line = `${styled(colours[status], marks[status].padEnd(7))}  ${name.padEnd(width)}  ${found}\n`;
      return advice === undefined ? line : `${line}${' '.repeat(width + 11)}→ ${advice}\n`;
    }),
  );
}
