import type { Btf } from '@bpf/btf';
import { jsonLine } from '../output.ts';
import { printable } from '../terminal.ts';
import type { Traced } from './plan.ts';
import { Header, type Layout, layOut } from './record.ts';
import { type Shown, showOf, withErrno } from './show.ts';
import type { Symbols } from './symbols.ts';

/** A call of a function. */
export interface Event {
  /** Nanoseconds since boot, as process.hrtime has them. */
  readonly ktime: bigint;
  /** Nanoseconds since 1970. */
  readonly time: bigint;
  readonly comm: string;
  readonly pid: number;
  readonly tid: number;
  readonly function: string;
  readonly args: Readonly<Record<string, Shown>>;
  /** Undefined when it was not asked for, null when the function returns nothing. */
  readonly ret: Shown | null | undefined;
  /** Innermost first. */
  readonly stack: readonly string[] | undefined;
}

/** Decodes the records of these functions. */
export function decoder(
  btf: Btf,
  traced: readonly Traced[],
  symbols: Symbols | undefined,
): (record: Uint8Array) => Event {
  const functions = traced.map((one) => {
    const layout = layOut(one, symbols !== undefined);
    const shows = layout.values.map(({ value, at }) => ({ value, at, show: showOf(btf, value) }));
    return { ...one, layout, shows };
  });
  // The kernel's clock does not tell the time of day. Both of these are read once: they go alike from then on.
  const boot =
    BigInt(Math.round((performance.timeOrigin + performance.now()) * 1000)) * 1000n - process.hrtime.bigint();
  return (record) => {
    const { time, function: index, pid, tid, comm } = Header.decode(record);
    const { func, layout, shows, result } = functions[index] as (typeof functions)[number];
    const args: Record<string, Shown> = {};
    let ret: Shown | null | undefined = result === null ? null : undefined;
    for (const { value, at, show } of shows) {
      if (value === result) ret = value.kind === 'bytes' ? withErrno(show(record, at)) : show(record, at);
      else args[value.name] = show(record, at);
    }
    const stack = symbols && stackOf(record, layout, symbols);
    return { ktime: time, time: boot + time, comm, pid, tid, function: func.name, args, ret, stack };
  };
}

/** The frames of the program itself come first, and are left out. */
function stackOf(record: Uint8Array, { stack = 0 }: Layout, symbols: Symbols): string[] {
  const view = new DataView(record.buffer, record.byteOffset, record.byteLength);
  const frames = Math.max(view.getInt32(stack, true), 0) / 8;
  const names = Array.from({ length: frames }, (_, i) => symbols(view.getBigUint64(stack + 8 + i * 8, true)));
  const first = names.findIndex((name) => !/^bpf_(prog|trampoline)_/.test(name));
  return names.slice(Math.max(first, 0));
}

/** `{"time":…,"comm":…,"pid":…,"tid":…,"function":…,"args":{…},"ret":…,"stack":[…]}` */
export function eventJson({ time, comm, pid, tid, function: name, args, ret, stack }: Event): string {
  const plain = Object.fromEntries(Object.entries(args).map(([name, { json }]) => [name, json]));
  const [milliseconds, rest] = [Number(time / 1_000_000n), (time / 1000n) % 1000n];
  const iso = new Date(milliseconds).toISOString().replace('Z', `${String(rest).padStart(3, '0')}Z`);
  return jsonLine({
    time: iso,
    comm,
    pid,
    tid,
    function: name,
    args: plain,
    ret: ret === null ? null : ret?.json,
    stack,
  });
}

export const EVENT_HEAD = `${'TIME'.padEnd(15)}  ${'COMM'.padEnd(15)}  ${'PID'.padStart(7)}  CALL\n`;

/** `12:34:56.789012  node  1234  vfs_unlink(dir=0xffff…) = 0`, and its stack beneath. */
export function eventText({ time, comm, pid, function: name, args, ret, stack = [] }: Event): string {
  const list = Object.entries(args).map(([name, { text }]) => `${name}=${text}`);
  const call = `${name}(${list.join(', ')})${ret ? ` = ${ret.text}` : ''}`;
  const columns = [clock(time), printable(comm).padEnd(15), String(pid).padStart(7), call];
  return `${columns.join('  ')}\n${stack.map((frame) => `    ${frame}\n`).join('')}`;
}

/** The time of day here, to the microsecond. */
function clock(time: bigint): string {
  const date = new Date(Number(time / 1_000_000n));
  const two = (number: number): string => String(number).padStart(2, '0');
  const micros = String((time / 1000n) % 1_000_000n).padStart(6, '0');
  return `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}.${micros}`;
}
