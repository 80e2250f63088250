import { doctor } from '@bpf/programs';
import type { Command } from 'commander';
import { JSON_LINES } from './options.ts';
import { jsonLine, print } from './output.ts';

const marks = { ok: 'ok', warning: 'WARNING', problem: 'PROBLEM' } as const;

export function addDoctorCommand(bpf: Command): void {
  bpf
    .command('doctor')
    .description('why this user on this machine may not use BPF, or not all of it, and what to do')
    .option('--json', JSON_LINES)
    .addHelpText('after', '\nExit status: 1 when there is a problem, 0 when there are warnings at most.')
    .action(diagnose);
}

async function diagnose(options: { readonly json?: true }): Promise<void> {
  const findings = doctor();
  if (findings.some(({ status }) => status === 'problem')) process.exitCode = 1;
  if (options.json) return print(findings.map(jsonLine));
  const width = Math.max(...findings.map(({ name }) => name.length));
  return print(
    findings.map(({ name, status, found, advice }) => {
      const line = `${marks[status].padEnd(7)}  ${name.padEnd(width)}  ${found}\n`;
      return advice === undefined ? line : `${line}${' '.repeat(width + 11)}→ ${advice}\n`;
    }),
  );
}
