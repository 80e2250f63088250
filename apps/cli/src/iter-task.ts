import { jsonLine, print } from './output.ts';
import { table } from './table.ts';
import { listTasks } from './tasks.ts';

/** `bpf iter task`: a table, or with --json a line for each thread. */
export async function iterTask(options: { json?: true }): Promise<void> {
  const start = performance.now();
  const tasks = [...listTasks()];
  const ms = performance.now() - start;
  if (options.json) return print(tasks.map(jsonLine));
  const columns = [
    { head: 'PID', align: 'right' },
    { head: 'TGID', align: 'right' },
    { head: 'COMM' },
    { head: 'STATE' },
  ] as const;
  const rows = tasks.map(({ pid, tgid, comm, state }) => [pid, tgid, comm, state]);
  await print(table(columns, rows));
  return print([`${tasks.length} threads in ${ms.toFixed(1)} ms\n`]);
}
