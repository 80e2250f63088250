import { readFileSync } from 'node:fs';
import { mapFile } from '@bpf/sys';
import { type Btf, type BtfKind, parseBtf } from '../src/index.ts';
import { kinds } from '../src/raw.ts';

export const KERNEL = '/sys/kernel/btf/vmlinux';

/** As in libbpf.c. */
const paths = ['pid', 'tgid', 'comm', 'start_time', 'real_parent.tgid', 'mm.start_code'];

/** As `kernelBtf()` of `@bpf/programs` opens it. */
export const open = (): Uint8Array => mapFile(KERNEL) ?? readFileSync(KERNEL);

/** Opens the kernel's BTF and finds members: their offsets, and those of the pointers on the way. */
export function cold(bytes: Uint8Array): number {
  const btf = parseBtf(bytes);
  const id = btf.find('struct', 'task_struct') ?? 0;
  let sum = 0;
  for (const path of paths) {
    const { pointers, offset } = btf.access(id, path);
    sum += pointers.reduce((a, b) => a + b, offset);
  }
  return sum;
}

/** Goes over all types, as objects with their names. */
export function strings(btf: Btf): number {
  let sum = 0;
  for (let id = 1; id <= btf.count; id++) {
    const { kind, name } = btf.type(id);
    sum += kinds.indexOf(kind) + name.length;
  }
  return sum;
}

export type Names = readonly (readonly [kind: BtfKind, name: string])[];

export function lookUp(btf: Btf, names: Names): number {
  let sum = 0;
  for (const [kind, name] of names) sum += btf.find(kind, name) ?? 0;
  return sum;
}

/** Names of types of all kinds that have some, evenly spread over the ids. */
export function spreadNames(btf: Btf, count: number): Names {
  const names: [BtfKind, string][] = [];
  for (let i = 0; i < count; i++) {
    let id = 1 + Math.floor((i * btf.count) / count);
    while (btf.type(id).name === '') id++;
    const { kind, name } = btf.type(id);
    names.push([kind, name]);
  }
  return names;
}

/** The same as arguments of libbpf.c. */
export const namesAsArguments = (names: Names): string[] =>
  names.flatMap(([kind, name]) => [String(kinds.indexOf(kind)), name]);

/** Bytes that opening and looking up add to this process. */
export function memory(names: Names): Memory {
  mapFile('/proc/self/cmdline'); // loads koffi, which is no part of this
  const before = measure();
  const btf = parseBtf(open());
  lookUp(btf, names);
  const after = measure();
  // Still in use here.
  if (btf.count === 0) throw new Error('no types');
  return {
    counted: after.counted - before.counted,
    anonymous: after.anonymous - before.anonymous,
    resident: after.resident - before.resident,
  };
}

export interface Memory {
  /** What JavaScript holds on to. The mapped file is not in it, and takes nothing: these are the kernel's own pages. */
  readonly counted: number;
  /** Pages of this process alone: with the compiled code, and what is free again but not given back. */
  readonly anonymous: number;
  /** With pages of Node's own file that were not used before. */
  readonly resident: number;
}

function measure(): Memory {
  globalThis.gc?.();
  const { heapUsed, arrayBuffers, rss } = process.memoryUsage();
  const [, anonymous] = /RssAnon:\s*(\d+) kB/.exec(readFileSync('/proc/self/status', 'latin1')) ?? [];
  return { counted: heapUsed + arrayBuffers, anonymous: Number(anonymous) * 1024, resident: rss };
}
