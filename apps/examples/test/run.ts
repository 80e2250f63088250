import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { jobFolder } from '../../../tooling/kernel-test/harness.ts';

let runs = 0;

/** Runs an example in this process, as starting another takes most of a second in a guest. */
export async function run(name: string, ...args: readonly unknown[]): Promise<string[]> {
  const { log } = console;
  const { argv } = process;
  const lines: string[] = [];
  console.log = (...words) => lines.push(words.join(' '));
  process.argv = [process.execPath, name, ...args.map(String)];
  try {
    await import(`${join(jobFolder, name)}.mjs?${runs++}`);
    return lines;
  } finally {
    console.log = log;
    process.argv = argv;
  }
}

/** Runs an example, does something when it has printed its first line, and returns those that follow. */
export async function runExample(
  name: string,
  args: readonly (string | number)[],
  act: () => unknown,
): Promise<string[]> {
  const example = spawn(process.execPath, [join(jobFolder, `${name}.mjs`), ...args.map(String)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const closed = once(example, 'close');
  const lines: string[] = [];
  for await (const line of createInterface({ input: example.stdout })) {
    if (lines.length === 0) await act();
    lines.push(line);
  }
  assert.deepEqual((await closed)[0], 0, lines.join('\n'));
  return lines.slice(1);
}

/** Connects over TCP to a server of this process, or to one that is not there. @returns the server's port */
export async function connection(host: string): Promise<number> {
  const server = createServer((socket) => socket.destroy()).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const socket = connect(port, host);
  try {
    await once(socket, 'connect');
    return port;
  } finally {
    socket.destroy();
    server.close();
  }
}
