import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..');

/**
 * Writes each `ts` block of every README as a file, so that it can be checked and run.
 *
 * @returns the files, such as `.cache/readme/readme-insn-1.ts`
 */
export function extractReadmes(): string[] {
  const folder = join(root, '.cache/readme');
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const rooms = ['packages', 'apps'].flatMap((rooms) =>
    readdirSync(join(root, rooms)).map((room) => `${rooms}/${room}`),
  );
  return ['.', ...rooms].flatMap((room) => {
    const readme = join(root, room, 'README.md');
    if (!existsSync(readme)) return [];
    const blocks = readFileSync(readme, 'utf8').matchAll(/^```ts\n(.*?)^```$/gms);
    return [...blocks].map(([, code = ''], i) => {
      const file = join(folder, `readme-${room === '.' ? 'root' : room.replace(/.*\//, '')}-${i + 1}.ts`);
      writeFileSync(file, code);
      return file;
    });
  });
}
