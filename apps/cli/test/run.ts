import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { makeProgram } from '../src/program.ts';

const LONG_MS = 30_000;

interface Running {
  /** What it has printed so far. */
  readonly said: () => string;
  readonly done: Promise<void>;
}

/** Starts a command in this process, because a guest takes seconds to start another. One at a time. */
export function start(...args: string[]): Running {
  const { write } = process.stdout;
  let text = '';
  process.stdout.write = (chunk: string | Uint8Array): boolean => {
    text += typeof chunk === 'string' ? chunk : new TextDecoder().decode(chunk);
    return true;
  };
  const done = makeProgram('0')
    .parseAsync(args, { from: 'user' })
    .then(() => {})
    .finally(() => {
      process.stdout.write = write;
    });
  return { said: () => text, done };
}

/** What a command prints. */
export async function out(...args: string[]): Promise<string> {
  const { said, done } = start(...args);
  await done;
  return said();
}

/** Does something again and again until a command is done, and returns what it printed. One that goes on too long is ended. */
export async function outWhile({ said, done }: Running, act: (said: string) => void): Promise<string> {
  let running = true;
  const ended = done.finally(() => {
    running = false;
  });
  // Awaited below, where it is told.
  ended.catch(() => {});
  const end = performance.now() + LONG_MS;
  try {
    while (running && performance.now() < end) {
      act(said());
      await sleep(5);
    }
  } finally {
    process.emit('SIGINT', 'SIGINT');
    await ended.catch(() => {});
  }
  await ended;
  return said();
}

/** What it prints with --json. */
export async function json(...args: string[]): Promise<Record<string, unknown>[]> {
  const lines = (await out(...args, '--json')).trimEnd().split('\n');
  return lines.map((line) => JSON.parse(line) as Record<string, unknown>);
}

/** What bpftool says, where it is. With -n: it would mount a bpffs, and leave it. */
export function bpftool(...args: string[]): Record<string, unknown> | undefined {
  const path = ['/usr/sbin/bpftool', '/usr/bin/bpftool', '/sbin/bpftool'].find((file) => existsSync(file));
  if (path === undefined) return undefined;
  const { stdout } = spawnSync(path, ['-jn', ...args], { encoding: 'utf8', maxBuffer: 1 << 28 });
  return JSON.parse(stdout) as Record<string, unknown>;
}

/** Fields that both have, less what bpftool knows of other processes and of files. */
export function assertAgrees(ours: Record<string, unknown>, theirs: Record<string, unknown> | undefined): void {
  if (theirs === undefined) return;
  const { pids: _pids, pinned: _pinned, ...rest } = theirs;
  // It rounds the time of loading another way.
  assert.ok(Math.abs(Number(rest.loaded_at ?? 0) - Number(ours.loaded_at ?? 0)) <= 1);
  assert.deepEqual({ ...ours, loaded_at: 0 }, { ...rest, loaded_at: 0 });
}

/** The one with an id. */
export function byId(all: readonly Record<string, unknown>[], id: number): Record<string, unknown> {
  return all.find((one) => one.id === id) ?? assert.fail(`there is none with the id ${id}`);
}
