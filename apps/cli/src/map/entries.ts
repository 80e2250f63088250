import { ArrayMap, type BpfMap, HashMap } from '@bpf/maps';
import { jsonLine, print } from '../output.ts';
import { counted } from '../progress.ts';
import { typedInput } from './input.ts';
import { openMapFd, openTyped } from './list.ts';
import { plain, text } from './values.ts';

/** A map with keys and values as its BTF says, or as bytes. */
export function open(argument: string): BpfMap {
  using fd = openMapFd(argument);
  return openTyped(fd);
}

/** `bpf map dump`: all entries. */
export async function dumpMap(argument: string, options: { readonly json?: true }): Promise<void> {
  using map = open(argument);
  await print(lines(map, options.json));
}

function* lines(map: BpfMap, json?: true): Generator<string> {
  for (const [key, value] of counted(entriesOf(map), 'entries'))
    yield json ? jsonLine({ key: plain(key), value: plain(value) }) : `${text(key)}: ${text(value)}\n`;
}

export function entriesOf(map: BpfMap): Iterable<readonly [unknown, unknown]> {
  if (map instanceof HashMap || map instanceof ArrayMap) return map.entries() as Iterable<readonly [unknown, unknown]>;
  throw new Error(`A map of type ${map.info.type} has no entries to go through.`);
}

/** `bpf map get`. */
export async function getEntry(argument: string, key: string, options: { readonly json?: true }): Promise<void> {
  using map = open(argument);
  const value = map instanceof ArrayMap ? map.get(index(key)) : hash(map).get(input(map, key, 'key'));
  if (value === undefined) throw new Error(`Map ${map.info.id} has no key ${key}.`);
  return print([
    options.json ? jsonLine({ key: plain(input(map, key, 'key')), value: plain(value) }) : `${text(value)}\n`,
  ]);
}

/** `bpf map set`. */
export function setEntry(argument: string, key: string, value: string): void {
  using map = open(argument);
  if (map instanceof ArrayMap) map.set(index(key), input(map, value, 'value'));
  else hash(map).set(input(map, key, 'key'), input(map, value, 'value'));
}

/** `bpf map delete`. */
export function deleteEntry(argument: string, key: string): void {
  using map = open(argument);
  if (!hash(map).delete(input(map, key, 'key'))) throw new Error(`Map ${map.info.id} has no key ${key}.`);
}

function hash(map: BpfMap): HashMap<unknown, unknown> {
  if (map instanceof HashMap) return map;
  throw new Error(`The entries of a map of type ${map.info.type} cannot be named by a key here.`);
}

function index(text: string): number {
  const number = Number(text);
  if (Number.isInteger(number) && number >= 0) return number;
  throw new Error(`'${text}' is no index: it wants a whole number from 0 on.`);
}

/** What was typed, as the map takes it: JSON where it has types, else digits of bytes: 01000000 or '01 00 00 00'. */
function input(map: BpfMap, text: string, part: 'key' | 'value'): never {
  if (map instanceof ArrayMap && part === 'key') return index(text) as never;
  const { btfKeyTypeId, btfValueTypeId } = map.info;
  const typeId = part === 'key' ? btfKeyTypeId : btfValueTypeId;
  if (typeId !== 0) return typedInput(map, typeId, text) as never;
  const digits = text.replace(/\s+|0x/g, '');
  const size = part === 'key' ? map.info.keySize : map.info.valueSize;
  if (!/^([0-9a-f]{2})*$/i.test(digits) || digits.length !== size * 2)
    throw new Error(`'${text}' is no ${part} of this map: it wants ${size} bytes, as ${size * 2} hexadecimal digits.`);
  return Uint8Array.from(Buffer.from(digits, 'hex')) as never;
}
