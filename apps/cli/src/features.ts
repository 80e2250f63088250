import { type Probe, probeAll } from '@bpf/programs';
import { jsonLine, print } from './output.ts';
import { table } from './table.ts';

const answers = { true: 'yes', false: 'no', undefined: 'could not tell' } as const;
const answerOf = ({ answer }: Probe) => answers[String(answer.supported) as keyof typeof answers];

/** `bpf features`. */
export async function features(options: { readonly json?: true }): Promise<void> {
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
