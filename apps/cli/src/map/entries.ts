import { once } from 'node:events';
import { ArrayMap, type BpfMap, HashMap, openMap, openMapByBtf, Queue, RingBuffer } from '@bpf/maps';
import { mapGetInfo } from '@bpf/sys';
import { jsonLine, print, printable } from '../output.ts';
import { openMapFd } from './list.ts';

/** A map with keys and values as its BTF says, or as bytes. */
export function open(argument: string): BpfMap {
  using fd = openMapFd(argument);
  const { id, type, btfId } = mapGetInfo(fd);
  if (btfId === 0) return openMap({ id, type });
  return openMapByBtf({ id });
}

/** `bpf map dump`: all entries. */
export async function dumpMap(argument: string, options: { readonly json?: true }): Promise<void> {
  using map = open(argument);
  for (const [key, value] of entriesOf(map)) {
    const line = options.json ? jsonLine({ key: plain(key), value: plain(value) }) : `${text(key)}: ${text(value)}\n`;
    if (!process.stdout.write(line)) await once(process.stdout, 'drain');
  }
}

function entriesOf(map: BpfMap): Iterable<readonly [unknown, unknown]> {
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
  if (map.info.btfId !== 0) return json(text) as never;
  const digits = text.replace(/\s+|0x/g, '');
  const size = part === 'key' ? map.info.keySize : map.info.valueSize;
  if (!/^([0-9a-f]{2})*$/i.test(digits) || digits.length !== size * 2)
    throw new Error(`'${text}' is no ${part} of this map: it wants ${size} bytes, as ${size * 2} hexadecimal digits.`);
  return Uint8Array.from(Buffer.from(digits, 'hex')) as never;
}

/** JSON, or a word, which is a string. */
function json(text: string): unknown {
  try {
    return JSON.parse(text, (_, value) => value);
  } catch {
    return text;
  }
}

/** For JSON: bytes as hexadecimal digits. */
function plain(value: unknown): unknown {
  if (value instanceof Uint8Array) return Buffer.from(value).toString('hex');
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value === 'object' && value !== null)
    return Object.fromEntries(Object.entries(value).map(([name, field]) => [name, plain(field)]));
  return value;
}

function text(value: unknown): string {
  const flat = plain(value);
  return printable(typeof flat === 'object' ? jsonLine(flat).trimEnd() : String(flat));
}

/** `bpf events`: what a program sends through a ring buffer, as it comes. */
export async function printEvents(
  argument: string,
  options: { readonly json?: true; readonly limit?: number },
): Promise<void> {
  using map = open(argument);
  if (!(map instanceof RingBuffer)) {
    const other = map instanceof Queue ? ': `bpf map dump` shows its entries' : '';
    throw new Error(`Map ${map.info.id} is of type ${map.info.type}, and events come from a ringbuf${other}.`);
  }
  const abort = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => abort.abort());
  let seen = 0;
  for await (const event of map.events({ signal: abort.signal })) {
    const line = options.json ? jsonLine(plain(event)) : `${text(event)}\n`;
    if (!process.stdout.write(line)) await once(process.stdout, 'drain');
    if (++seen === options.limit) break;
  }
}
