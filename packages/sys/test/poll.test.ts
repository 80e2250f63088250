import { execFileSync } from 'node:child_process';
import { closeSync, readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { describe, expect, test } from 'vitest';
import {
  eventFd,
  Fd,
  fileOpen,
  fileRead,
  fileWrite,
  O_RDONLY,
  pollFd,
  rawSyscall,
  waitReadable,
  withScope,
} from '../src/index.ts';

const ONE = new Uint8Array(BigUint64Array.of(1n).buffer);

describe.runIf(process.platform === 'linux')('waiting for descriptors', () => {
  test('a wait ends when there is something to read, at once when there is already', async () => {
    using event = eventFd();
    let done = false;
    const wait = pollFd(event).then((readable) => {
      done = true;
      return readable;
    });
    await sleep(20);
    expect(done).toBe(false);
    fileWrite(event, ONE);
    expect(await wait).toBe(true);
    expect(await pollFd(event)).toBe(true);
    fileRead(event, 8);
    const again = pollFd(event.fd);
    fileWrite(event, ONE);
    expect(await again).toBe(true);
  });

  test('many descriptors, and several waits on one', async () => {
    const events = Array.from({ length: 150 }, () => eventFd());
    const waits = events.map((event) => pollFd(event));
    const more = pollFd(events[0] as Fd);
    for (const event of events) fileWrite(event, ONE);
    expect(await Promise.all([more, ...waits])).toEqual(Array(151).fill(true));
    for (const event of events) event.close();
  });

  test('a wait that joins another one after the kernel has told of it ends too', async () => {
    using event = eventFd();
    const first = pollFd(event);
    fileWrite(event, ONE);
    await first;
    const second = pollFd(event);
    const third = pollFd(event);
    expect(await Promise.all([second, third])).toEqual([true, true]);
  });

  test('a signal ends a wait, and only that one', async () => {
    using event = eventFd();
    const controller = new AbortController();
    const aborted = pollFd(event, { signal: controller.signal });
    const goesOn = pollFd(event);
    const reason = new Error('enough');
    controller.abort(reason);
    await expect(aborted).rejects.toBe(reason);
    await expect(pollFd(event, { signal: controller.signal })).rejects.toBe(reason);
    fileWrite(event, ONE);
    expect(await goesOn).toBe(true);
    await expect(pollFd(eventFdClosed(), { signal: AbortSignal.timeout(1) })).rejects.toThrow('this Fd is closed');
  });

  test('closing ends a wait', async () => {
    const event = eventFd();
    const waits = [pollFd(event), pollFd({ fd: event.fd })];
    event.close();
    expect(await Promise.all(waits)).toEqual([false, false]);
    const empty = eventFd();
    const signal = AbortSignal.timeout(50);
    // The number that was closed behind its back is another descriptor now: a wait on it is not the old one.
    const lost = pollFd(empty.fd, { signal });
    closeSync(empty.disown());
    using next = eventFd(1);
    expect(await pollFd(next)).toBe(true);
    expect(await lost.catch(() => false)).toBe(false);
  });

  test('the other end of a pipe that is gone ends a wait', async () => {
    const [reader, writer] = pipe();
    const gone = pollFd(reader);
    fileWrite(writer, 'x');
    expect(await gone).toBe(true);
    fileRead(reader, 1);
    const goneToo = pollFd(reader);
    writer.close();
    expect(await goneToo).toBe(false);
    reader.close();
  });

  test('what has no notion of waiting can be read', async () => {
    using file = fileOpen('/proc/version', O_RDONLY);
    expect(await pollFd(file)).toBe(true);
    await expect(pollFd(0x7fff_ffff)).rejects.toThrow('epoll_ctl failed with EBADF: descriptor 2147483647');
    await expect(pollFd(-1)).rejects.toThrow('the descriptor is -1');
  });

  test('waits leave nothing open', async () => {
    const count = (): number => readdirSync('/proc/self/fd').length;
    using event = eventFd(1);
    await pollFd(event);
    const before = count();
    for (let i = 0; i < 100; i++) await pollFd(event);
    expect(count()).toBe(before);
  });

  test('waitReadable blocks, for as long as it is told', () => {
    using ready = eventFd(1);
    using empty = eventFd();
    expect(waitReadable([empty, ready.fd, empty], 1000)).toEqual([ready.fd]);
    expect(waitReadable([ready], Number.POSITIVE_INFINITY)).toEqual([ready.fd]);
    expect(waitReadable([empty], 0)).toEqual([]);
    const start = performance.now();
    expect(waitReadable([empty], 30.5)).toEqual([]);
    expect(performance.now() - start).toBeGreaterThan(30);
    expect(() => waitReadable([empty], Number.NaN)).toThrow('timeoutMs is NaN; it must be at least 0, or Infinity');
    expect(() => waitReadable([empty], -1)).toThrow(RangeError);
    expect(() => waitReadable([-1], 1)).toThrow(RangeError);
  });

  const run = (script: string): string =>
    execFileSync(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', script], {
      cwd: join(import.meta.dirname, '..'),
      encoding: 'utf8',
      timeout: 30_000,
    });

  test('a process that waits stays, and one that waits no more ends', () => {
    const out = run(`
      import { spawn } from 'node:child_process';
      import { fileRead, O_RDONLY, fileOpen, eventFd, fileWrite, pollFd } from './src/index.ts';
      const event = eventFd();
      const child = spawn('sh', ['-c', "sleep 0.2; printf '\\\\1\\\\0\\\\0\\\\0\\\\0\\\\0\\\\0\\\\0' >&3"], {
        stdio: ['ignore', 'ignore', 'inherit', event.fd] });
      child.unref();
      console.log(await pollFd(event), fileRead(event, 8)[0]);`);
    expect(out).toBe('true 1\n');
  });

  test('what follows a wait runs at once, though nothing else happens', () => {
    const out = run(`
      import { Worker } from 'node:worker_threads';
      import { eventFd, fileWrite, pollFd } from './src/index.ts';
      const event = eventFd();
      const at = new Float64Array(new SharedArrayBuffer(8));
      new Worker(
        "const { workerData } = require('node:worker_threads');" +
        "setTimeout(() => {" +
        "  workerData.at[0] = performance.timeOrigin + performance.now();" +
        "  require('node:fs').writeSync(workerData.fd, new Uint8Array(BigUint64Array.of(1n).buffer));" +
        "}, 50); setTimeout(() => {}, 1000)",
        { eval: true, execArgv: [], workerData: { fd: event.fd, at } });
      await pollFd(event);
      console.log(performance.timeOrigin + performance.now() - at[0]);
      process.exit();`);
    expect(Number(out)).toBeLessThan(500);
  });

  test('a worker may end while it waits, also when no other thread has loaded koffi', () => {
    const url = (path: string): string => JSON.stringify(pathToFileURL(path));
    const script = `
      import { parentPort } from 'node:worker_threads';
      import { register } from ${url(createRequire(import.meta.url).resolve('tsx/esm/api'))};
      register();
      const { eventFd, pollFd } = await import(${url(join(import.meta.dirname, '../src/index.ts'))});
      pollFd(eventFd());
      parentPort.postMessage('waits');`;
    const out = run(`
      import { Worker } from 'node:worker_threads';
      import { once } from 'node:events';
      const script = new URL(${JSON.stringify(`data:text/javascript,${encodeURIComponent(script)}`)});
      for (let i = 0; i < 2; i++) {
        const worker = new Worker(script, { execArgv: [] });
        await once(worker, 'message');
        await worker.terminate();
      }
      console.log('alive');`);
    expect(out).toBe('alive\n');
  });
});

function pipe(): [Fd, Fd] {
  return withScope((scope) => {
    const { view, address } = scope.alloc(8);
    rawSyscall(process.arch === 'x64' ? 293 : 59, address, 0);
    return [new Fd(view.getInt32(0, true)), new Fd(view.getInt32(4, true))];
  });
}

function eventFdClosed(): Fd {
  const event = eventFd();
  event.close();
  return event;
}
