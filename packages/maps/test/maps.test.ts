import { expect, test } from 'vitest';
import * as maps from '../src/index.ts';
import { type ArrayMap, MapError } from '../src/index.ts';

test('the exported names', () => {
  expect(Object.keys(maps).sort()).toMatchInlineSnapshot(`
    [
      "ArrayMap",
      "HashMap",
      "MapError",
      "createMap",
      "openMap",
    ]
  `);
});

test('a mismatch names the field', () => {
  const error = new MapError("map 7 'counts'", 'valueSize', 8, 4);
  expect(error.message).toBe("map 7 'counts' has valueSize 4, not 8: the program that made it and this one disagree");
  expect(error).toMatchObject({ code: 'MISMATCH', field: 'valueSize', expected: 8, actual: 4 });
});

test('the types hold what the kernel allows', () => {
  // @ts-expect-error the elements of an array cannot be deleted
  (map: ArrayMap) => map.delete(0);
  // @ts-expect-error the keys of an array are its indexes
  () => maps.createMap({ type: 'array', keySize: 8, valueSize: 8, maxEntries: 1 });
  // @ts-expect-error an unknown type
  () => maps.createMap({ type: 'heap', keySize: 8, valueSize: 8, maxEntries: 1 });
});
