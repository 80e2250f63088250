import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { mapFile } from '../src/index.ts';

test.runIf(process.platform === 'linux')('mapFile shows what reading would', () => {
  expect(mapFile(import.meta.filename)).toEqual(new Uint8Array(readFileSync(import.meta.filename)));
  expect(mapFile('/proc/version')).toBeUndefined(); // has no size
  expect(() => mapFile('/no/such/file')).toThrow(expect.objectContaining({ code: 'ENOENT' }));
});
