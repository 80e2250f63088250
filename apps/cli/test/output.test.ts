import { expect, test, vi } from 'vitest';
import { fields, jsonLine, print } from '../src/output.ts';

/** What is written, call by call. */
async function written(chunks: Parameters<typeof print>[0]): Promise<string[]> {
  const calls: string[] = [];
  const write = vi.spyOn(process.stdout, 'write').mockImplementation((chunk) => {
    calls.push(Buffer.from(chunk).toString());
    return true;
  });
  try {
    await print(chunks);
    return calls;
  } catch (error) {
    return [...calls, String(error)];
  } finally {
    write.mockRestore();
  }
}

test('many lines are few writes, in order, and bytes stay where they are', async () => {
  const lines = Array.from({ length: 10_000 }, (_, i) => `line ${i}\n`);
  const calls = await written(lines);
  expect(calls.join('')).toBe(lines.join(''));
  expect(calls.length).toBeLessThan(20);
  expect(await written(['a', Uint8Array.of(98), 'c'])).toEqual(['a', 'b', 'c']);
  expect(await written([])).toEqual([]);
});

test('what comes asynchronously is written as it comes', async () => {
  async function* events(): AsyncGenerator<string> {
    yield 'a\n';
    yield 'b\n';
  }
  expect(await written(events())).toEqual(['a\n', 'b\n']);
});

test('what was there before an error is printed', async () => {
  function* lines(): Generator<string> {
    yield 'a\n';
    throw new Error('no more');
  }
  expect(await written(lines())).toEqual(['a\n', 'Error: no more']);
});

test('JSON: a line, with what is above 2^53 as a string', () => {
  expect(jsonLine({ small: 5n, exact: 2n ** 53n - 1n, large: 2n ** 53n, negative: -(2n ** 63n) })).toBe(
    '{"small":5,"exact":9007199254740991,"large":"9007199254740992","negative":"-9223372036854775808"}\n',
  );
});

test('facts for people: a line each, and no name writes to the terminal', () => {
  expect(fields({ id: 5, name: '\x1b[2J', map_ids: [1, 2] })).toBe('id       5\nname     \\x1b[2J\nmap_ids  1 2\n');
});
