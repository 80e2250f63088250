import { listTasks, type Task } from './tasks.ts';

/** `bpf iter task`: a table, or with --json a line for each thread. */
export async function iterTask(options: { json?: true }): Promise<void> {
  const start = performance.now();
  const tasks = [...listTasks()];
  const ms = performance.now() - start;
  if (options.json) {
    process.stdout.write(tasks.map((task) => `${JSON.stringify(task)}\n`).join(''));
    return;
  }
  process.stdout.write(`${await table(tasks)}\n${tasks.length} threads in ${ms.toFixed(1)} ms\n`);
}

async function table(tasks: readonly Task[]): Promise<string> {
  // Loaded when needed: it is most of the start-up time of this command.
  const { default: Table } = await import('cli-table3');
  const rows = new Table({
    head: ['PID', 'TGID', 'COMM', 'STATE'],
    colAligns: ['right', 'right', 'left', 'left'],
    chars: noBorders,
    style: { head: [], border: [], 'padding-left': 0, 'padding-right': 2 },
  });
  for (const { pid, tgid, comm, state } of tasks) rows.push([pid, tgid, printable(comm), state]);
  return rows.toString();
}

const noBorders = Object.fromEntries(
  ['top', 'bottom', 'left', 'right', 'mid', 'middle'].flatMap((side) =>
    ['', '-mid', '-left', '-right'].map((at) => [side + at, '']),
  ),
);

/** A thread may be named anything, escape sequences included, which are not for the terminal. */
function printable(text: string): string {
  return text.replace(
    /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu,
    (char) => `\\x${char.codePointAt(0)?.toString(16).padStart(2, '0')}`,
  );
}
