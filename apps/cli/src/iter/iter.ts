import { type IterTarget, iterTargets } from '@bpf/dsl-iter';
import { kernelBtf, openIterator } from '@bpf/programs';
import { fileOpen, type IterInfo, O_RDONLY } from '@bpf/sys';
import { iterTask } from '../iter-task.ts';
import { openMapFd } from '../map/list.ts';
import { jsonLine, print } from '../output.ts';
import { table } from '../table.ts';
import { fieldsOf, type IterFieldPlace } from './fields.ts';
import { fieldsProgram } from './program.ts';

interface Options {
  readonly json?: true;
  readonly fields?: string;
  readonly pid?: number;
  readonly map?: string;
  readonly cgroup?: string;
}

/** `bpf iter`. */
export async function iter(target: string, options: Options): Promise<void> {
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
  /** A generator: there may be hundreds of thousands, and the first is printed before the last is read. */
  function* rows(): Generator<(string | number | bigint)[]> {
    for (const bytes of records.records(row.size))
      yield Object.values(row.decode(bytes)).map((value, i) => fields[i]?.show(value) ?? '');
  }
  if (options.json) return await print(jsonLines(fields, rows()));
  const columns = fields.map(({ path, schema }) => ({
    head: path.toUpperCase(),
    align: schema.shape.kind === 'int' ? ('right' as const) : ('left' as const),
  }));
  // Awaited here: the iterator is open until then.
  return await print(table(columns, rows()));
}

function* jsonLines(fields: readonly IterFieldPlace[], rows: Iterable<readonly unknown[]>): Generator<string> {
  for (const row of rows) yield jsonLine(Object.fromEntries(fields.map(({ path }, i) => [path, row[i]])));
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
