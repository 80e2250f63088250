import { type Command, InvalidArgumentError } from 'commander';
import { count, JSON_LINES } from '../options.ts';
import { createMap, pinMap } from './create.ts';
import { deleteEntry, dumpMap, getEntry, printEvents, setEntry } from './entries.ts';
import { listMaps, showMap } from './list.ts';
import { watchMap } from './watch.ts';

const WHICH = 'its id, its name, or the path where it is pinned';
const KEY = 'as JSON where the map has types (1, \'{"pid":1}\'), else as hexadecimal bytes (01000000)';

export function addMapCommands(bpf: Command): void {
  const map = bpf.command('map').description('maps: list, read, write, create, pin and watch them');
  map.command('list').description('all of them').option('--json', JSON_LINES).action(listMaps);
  map
    .command('show')
    .description('what the kernel knows of one')
    .argument('<map>', WHICH)
    .option('--json', JSON_LINES)
    .action(showMap);
  map.command('dump').description('its entries').argument('<map>', WHICH).option('--json', JSON_LINES).action(dumpMap);
  map
    .command('get')
    .description('one entry')
    .argument('<map>', WHICH)
    .argument('<key>', KEY)
    .option('--json', JSON_LINES)
    .action(getEntry);
  map
    .command('set')
    .description('create or replace an entry')
    .argument('<map>', WHICH)
    .argument('<key>', KEY)
    .argument('<value>', 'as the key')
    .action(setEntry);
  map
    .command('delete')
    .description('remove an entry')
    .argument('<map>', WHICH)
    .argument('<key>', KEY)
    .action(deleteEntry);
  map
    .command('create')
    .description('make a map and pin it')
    .argument('<path>', 'on a bpffs, such as /sys/fs/bpf/map')
    .requiredOption('--type <type>', 'the map type, such as hash')
    .option('--key <bytes>', 'the size of a key', bytes, 4)
    .option('--value <bytes>', 'the size of a value', bytes, 4)
    .option('--entries <number>', 'how many there may be; of a ring buffer, its bytes', bytes, 1)
    .option('--name <name>', 'its name')
    .option('--flags <flags...>', 'such as no_prealloc')
    .action(createMap);
  map
    .command('pin')
    .description('give it a path, which keeps it')
    .argument('<map>', WHICH)
    .argument('<path>', 'on a bpffs')
    .action(pinMap);
  map
    .command('watch')
    .description('print entries as they change')
    .argument('<map>', WHICH)
    .option('--interval <seconds>', 'how often to look', seconds, 1)
    .option('--limit <changes>', 'end after so many', count)
    .option('--json', JSON_LINES)
    .action(watchMap);
  bpf
    .command('events')
    .description('print what a program sends through a ring buffer, as it comes')
    .argument('<map>', WHICH)
    .option('--limit <events>', 'end after so many', count)
    .option('--json', JSON_LINES)
    .action(printEvents);
}

function bytes(text: string): number {
  return text === '0' ? 0 : count(text);
}

function seconds(text: string): number {
  const number = Number(text);
  if (!(number >= 0.01 && number <= 86_400)) throw new InvalidArgumentError('it wants seconds, from 0.01 on.');
  return number;
}
