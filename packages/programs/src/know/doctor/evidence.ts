// What findings rest on: files, and a few things that are tried. Tests have others than this machine's.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { capabilityNames, mapCreate, SysError, withScope } from '@bpf/sys';
import { type Answer, unsure, yes } from '../answer.ts';
import { haveAttach } from '../attach-kind.ts';

/** A text, or why there is none. */
export type Text = { readonly text: string } | { readonly text: undefined; readonly why: string };

export interface Evidence {
  readonly platform: string;
  readonly arch: string;
  readonly tries: Tries;
  /** The text of a file, without its last newline. */
  read(path: string): Text;
  exists(path: string): boolean;
}

/** What is tried: never throws. */
export interface Tries {
  koffi(): Answer;
  bpf(): Answer;
  fentry(): Answer;
  kprobeMulti(): Answer;
}

const thisMachine: Tries = {
  // Memory comes from koffi.
  koffi: () => tried(() => withScope((scope) => scope.alloc(8))),
  bpf: () => tried(() => mapCreate({ type: 'array', keySize: 4, valueSize: 4, maxEntries: 1 }).close()),
  fentry: () => answered(() => haveAttach('fentry')),
  kprobeMulti: () => answered(() => haveAttach('kprobe_multi')),
};

/** Files below a folder: '/' is this machine. */
export function evidenceBelow(root: string, tries: Tries = thisMachine): Evidence {
  return {
    platform: process.platform,
    arch: process.arch,
    tries,
    read(path) {
      try {
        const bytes = readFileSync(join(root, path));
        const text = path.endsWith('.gz') ? gunzipSync(bytes).toString() : bytes.toString();
        return { text: text.replace(/\n$/, '') };
      } catch (error) {
        return { text: undefined, why: (error as NodeJS.ErrnoException).code ?? String(error) };
      }
    },
    exists: (path) => existsSync(join(root, path)),
  };
}

function tried(run: () => void): Answer {
  return answered(() => {
    run();
    return yes;
  });
}

function answered(ask: () => Answer): Answer {
  try {
    return ask();
  } catch (error) {
    const reason = (error instanceof Error ? error.message : String(error)).replace(/\.$/, '');
    return error instanceof SysError && error.code === 'ENOSYS' ? { supported: false, reason } : unsure(reason);
  }
}

/** A field of /proc/self/status. */
export function statusField({ read }: Evidence, name: string): string | undefined {
  return read('/proc/self/status').text?.match(new RegExp(`^${name}:\\s*(.+)$`, 'm'))?.[1];
}

/** Such as '6.1.0-18-amd64'. */
export function release({ read }: Evidence): string {
  return read('/proc/sys/kernel/osrelease').text ?? 'unknown';
}

/** Effective capabilities, a bit each; undefined when they cannot be read. */
export function capabilityBits(evidence: Evidence): bigint | undefined {
  const digits = statusField(evidence, 'CapEff');
  return digits && /^[0-9a-f]+$/.test(digits) ? BigInt(`0x${digits}`) : undefined;
}

export function has(evidence: Evidence, ...names: ReturnType<typeof capabilityNames>): boolean {
  const bits = capabilityBits(evidence);
  return bits !== undefined && names.every((name) => capabilityNames(bits).includes(name));
}

/** What the kernel was built with, such as 'y' for CONFIG_DEBUG_INFO_BTF; undefined when its configuration is not shown. */
export function config(evidence: Evidence, name: string): string | undefined {
  for (const path of ['/proc/config.gz', `/boot/config-${release(evidence)}`]) {
    const { text } = evidence.read(path);
    if (text !== undefined) return text.match(new RegExp(`^${name}=(.*)$`, 'm'))?.[1] ?? 'n';
  }
  return undefined;
}
