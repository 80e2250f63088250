import { type Btf, BtfError } from '@bpf/btf';
import { type IterTarget, iterTargets } from '@bpf/dsl-iter';
import { kernelBtf, openIterator } from '@bpf/programs';
import { fileOpen, type IterInfo, O_RDONLY } from '@bpf/sys';
import type { Command } from 'commander';
import { iterTask } from '../iter-task.ts';
import { openMapFd } from '../map/list.ts';
import { count, JSON_LINES } from '../options.ts';
import { jsonLine, print, table } from '../output.ts';
import { defaultFields } from './defaults.ts';
import { findField, type IterFieldPlace } from './fields.ts';
import { fieldsProgram } from './program.ts';

interface Options {
  readonly json?: true;
  readonly fields?: string;
  readonly pid?: number;
  readonly map?: string;
  readonly cgroup?: string;
}

export function addIterCommand(bpf: Command): void {
  bpf
    .command('iter')
    .description('list objects of the kernel through a BPF iterator: tasks, files, sockets, maps and more')
    .argument('<target>', '`list` prints what this kernel has')
    .option('--fields <paths>', "fields of the target's struct, by their paths: pid,comm,real_parent.tgid")
    .option('--pid <pid>', 'only tasks of this process', count)
    .option('--map <map>', 'for sockmap and bpf_sk_storage_map: its id, name or path')
    .option('--cgroup <path>', 'for cgroup: where to start')
    .option('--json', JSON_LINES)
    .addHelpText(
      'after',
      '\nExamples:\n  bpf iter task --fields pid,comm,mm.total_vm\n  bpf iter tcp --json\n  bpf iter task_file --pid 1',
    )
    .action(iter);
}

async function iter(target: string, options: Options): Promise<void> {
  if (target === 'list') return listTargets(options);
  if (!isTarget(target))
    throw new Error(`There is no iterator '${target}'; there are ${Object.keys(iterTargets).join(', ')}.`);
  if (target === 'bpf_map_elem') throw new Error('The elements of a map are shown by `bpf map dump MAP`.');
  if (target === 'task' && options.fields === undefined && options.pid === undefined) return iterTask(options);
  const btf = kernelBtf();
  const fields = fieldsOf(btf, target, options.fields);
  const { spec, row } = fieldsProgram(btf, target, fields, options.pid);
  using parameter = openParameter(target, options);
  using records = openIterator(spec, parameter.iterInfo ? { iterInfo: parameter.iterInfo } : {});
  const rows: (string | number | bigint)[][] = [];
  for (const bytes of records.records(row.size)) {
    const values = Object.values(row.decode(bytes)).map((value, i) => fields[i]?.show(value) ?? '');
    if (!options.json) rows.push(values);
    else await print([jsonLine(Object.fromEntries(fields.map(({ path }, i) => [path, values[i]])))]);
  }
  if (options.json) return;
  const columns = fields.map(({ path, schema }) => ({
    head: path.toUpperCase(),
    align: schema.shape.kind === 'int' ? ('right' as const) : ('left' as const),
  }));
  return print(table(columns, rows));
}

const isTarget = (target: string): target is IterTarget => Object.hasOwn(iterTargets, target);

async function listTargets({ json }: Options): Promise<void> {
  const btf = kernelBtf();
  if (json)
    return print(
      btf
        .iterTargets()
        .map(({ name, fields }) => jsonLine({ target: name, fields: fields.map((field) => field.name) })),
    );
  const rows = btf.iterTargets().map(({ name, fields }) => [name, fields.map((field) => field.name).join(' ')]);
  return print(table([{ head: 'TARGET' }, { head: 'CONTEXT' }], rows));
}

function fieldsOf(btf: Btf, target: IterTarget, asked: string | undefined): IterFieldPlace[] {
  if (asked !== undefined) return asked.split(',').map((path) => findField(btf, target, path.trim()));
  // Of those that are shown unless told, a kernel may lack one.
  return defaultFields[target].flatMap((path) => {
    try {
      return [findField(btf, target, path)];
    } catch (error) {
      if (error instanceof BtfError) return [];
      throw error;
    }
  });
}

interface Parameter extends Disposable {
  readonly iterInfo?: IterInfo;
}

/** What the iterator goes through, held open until it is made. */
function openParameter(target: IterTarget, { map, cgroup }: Options): Parameter {
  if (map !== undefined) {
    const fd = openMapFd(map);
    return { iterInfo: { map: fd }, [Symbol.dispose]: () => fd.close() };
  }
  const nothing = (): void => {};
  if (target !== 'cgroup') return { [Symbol.dispose]: nothing };
  const order = 'descendants_pre';
  if (cgroup === undefined) return { iterInfo: { cgroup: { order } }, [Symbol.dispose]: nothing };
  const folder = fileOpen(cgroup, O_RDONLY);
  return { iterInfo: { cgroup: { order, fd: folder.fd } }, [Symbol.dispose]: () => folder.close() };
}
