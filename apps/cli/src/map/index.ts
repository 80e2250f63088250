import { type Command, InvalidArgumentError } from 'commander';
import { lazily } from '../lazily.ts';
import { count, JSON_LINES } from '../options.ts';

const WHICH = 'its id, its name, or the path where it is pinned';
const KEY = 'as JSON where the map has types (1, \'{"pid":1}\'), else as hexadecimal bytes (01000000)';

export function addMapCommands(bpf: Command): void {
  const map = bpf.command('map').description('list, read, write, create, pin and watch maps');
  map
    .command('list')
    .description('list all maps')
    .option('--json', JSON_LINES)
    .action(lazily(async () => (await import('./list.ts')).listMaps));
  map
    .command('show')
    .description('print what the kernel knows of a map')
    .argument('<map>', WHICH)
    .option('--json', JSON_LINES)
    .action(lazily(async () => (await import('./list.ts')).showMap));
  map
    .command('dump')
    .description('print the entries of a map')
    .argument('<map>', WHICH)
    .option('--json', JSON_LINES)
    .action(lazily(async () => (await import('./entries.ts')).dumpMap));
  map
    .command('get')
    .description('print the value of a key')
    .argument('<map>', WHICH)
    .argument('<key>', KEY)
    .option('--json', JSON_LINES)
    .action(lazily(async () => (await import('./entries.ts')).getEntry));
  map
    .command('set')
    .description('create or replace an entry')
    .argument('<map>', WHICH)
    .argument('<key>', KEY)
    .argument('<value>', 'as the key')
    .action(lazily(async () => (await import('./entries.ts')).setEntry));
  map
    .command('delete')
    .description('remove an entry')
    .argument('<map>', WHICH)
    .argument('<key>', KEY)
    .action(lazily(async () => (await import('./entries.ts')).deleteEntry));
  map
    .command('create')
    .description('make a map and pin it')
    .argument('<path>', 'on a bpffs, such as /sys/fs/bpf/map')
    .requiredOption('--type <map-type>', 'the map type, such as hash')
    .option('--key <bytes>', 'the size of a key', bytes, 4)
    .option('--value <bytes>', 'the size of a value', bytes, 4)
    .option('--entries <number>', 'how many there may be; of a ring buffer, its bytes', bytes, 1)
    .option('--name <name>', 'its name')
    .option('--flags <flags...>', 'such as no_prealloc')
    .option('--json', JSON_LINES)
    .action(lazily(async () => (await import('./create.ts')).createMap));
  map
    .command('pin')
    .description('give a map a path, which keeps it')
    .argument('<map>', WHICH)
    .argument('<path>', 'on a bpffs')
    .action(lazily(async () => (await import('./create.ts')).pinMap));
  map
    .command('watch')
    .description('print entries as they change')
    .argument('<map>', WHICH)
    .option('--interval <seconds>', 'how often to look', seconds, 1)
    .option('--limit <changes>', 'end after so many', count)
    .option('--json', JSON_LINES)
    .action(lazily(async () => (await import('./watch.ts')).watchMap));
}

export function addEventsCommand(bpf: Command): void {
  bpf
    .command('events')
    .description('print what programs send through a ring buffer or a perf event array, as it comes')
    .argument('<map>', WHICH)
    .option('--limit <events>', 'end after so many', count)
    .option('--json', JSON_LINES)
    .action(lazily(async () => (await import('./events.ts')).printEvents));
}

function bytes(text: string): number {
  return text === '0' ? 0 : count(text);
}

function seconds(text: string): number {
  const number = Number(text);
  if (!(number >= 0.01 && number <= 86_400)) throw new InvalidArgumentError('it wants seconds, from 0.01 on.');
  return number;
}
