import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { brotliDecompressSync } from 'node:zlib';
import { type Browser, chromium } from 'playwright-core';

const require = createRequire(import.meta.url);
const cache = join(import.meta.dirname, '../../../.cache/chromium');

/** Without a sandbox, because CI runs as root; quiet, because it has nothing to ask the network. */
const ARGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/** Why there is no browser to test in on this machine; undefined when there is one. */
export const noChromium: string | undefined =
  process.platform === 'linux' && process.arch === 'x64'
    ? undefined
    : `@sparticuz/chromium is for Linux on x64, this is ${process.platform} on ${process.arch}`;

/** Starts the Chromium that came from npm, with the libraries that came along: the machine needs to have none. */
export async function launchChromium(): Promise<Browser> {
  const folder = unpack();
  return chromium.launch({
    executablePath: join(folder, 'chromium'),
    args: ARGS,
    env: { ...process.env, LD_LIBRARY_PATH: join(folder, 'lib') } as Record<string, string>,
    timeout: 30_000,
  });
}

/** Unpacks the browser into the cache, once for each version: 209 MB, three seconds. */
function unpack(): string {
  const packed = join(dirname(require.resolve('@sparticuz/chromium')), '..');
  const { version } = JSON.parse(readFileSync(join(packed, 'package.json'), 'utf8')) as { version: string };
  const folder = join(cache, version);
  if (existsSync(folder)) return folder;
  mkdirSync(cache, { recursive: true });
  const unfinished = mkdtempSync(join(cache, 'unfinished-'));
  try {
    const file = (name: string): Buffer => brotliDecompressSync(readFileSync(join(packed, 'bin', name)));
    writeFileSync(join(unfinished, 'chromium'), file('chromium.br'), { mode: 0o755 });
    execFileSync('tar', ['-x', '-C', unfinished], { input: file('al2023.tar.br') });
    renameSync(unfinished, folder);
  } finally {
    rmSync(unfinished, { recursive: true, force: true });
  }
  return folder;
}
