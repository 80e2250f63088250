import { type Probe, probeAll } from '@bpf/programs';
import type { Command } from 'commander';
import { JSON_LINES } from './options.ts';
import { jsonLine, print, table } from './output.ts';

const answers = { true: 'yes', false: 'no', undefined: 'could not tell' } as const;
const answerOf = ({ answer }: Probe) => answers[String(answer.supported) as keyof typeof answers];

export function addFeaturesCommand(bpf: Command): void {
  bpf
    .command('features')
    .description('what this kernel has, and this user may use, each tried: types, attachments, features')
    .option('--json', JSON_LINES)
    .action(features);
}

async function features(options: { readonly json?: true }): Promise<void> {
  const probes = [...probeAll()];
  if (options.json)
    return print(
      probes.map(({ kind, name, answer }) => jsonLine({ kind, name, ...answer, supported: answer.supported ?? null })),
    );
  const columns = [{ head: 'KIND' }, { head: 'NAME' }, { head: 'HERE' }, { head: 'WHY NOT' }];
  const rows = probes.map((probe) => [
    probe.kind,
    probe.name,
    answerOf(probe),
    probe.answer.supported ? '' : probe.answer.reason,
  ]);
  return print(table(columns, rows));
}
