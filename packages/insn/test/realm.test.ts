import { createContext, runInContext } from 'node:vm';
import { expect, test } from 'vitest';
import { bundle } from './bundle.ts';
import { exercise } from './exercise.ts';

/** What ECMAScript 2022 defines, and nothing of what a host adds. */
const ES2022 =
  'AggregateError Array ArrayBuffer Atomics BigInt BigInt64Array BigUint64Array Boolean DataView Date Error EvalError ' +
  'FinalizationRegistry Float32Array Float64Array Function Infinity Int16Array Int32Array Int8Array JSON Map Math NaN ' +
  'Number Object Promise Proxy RangeError ReferenceError Reflect RegExp Set SharedArrayBuffer String Symbol SyntaxError ' +
  'TypeError URIError Uint16Array Uint32Array Uint8Array Uint8ClampedArray WeakMap WeakRef WeakSet decodeURI ' +
  'decodeURIComponent encodeURI encodeURIComponent escape eval globalThis isFinite isNaN parseFloat parseInt undefined ' +
  'unescape';

test('runs in a realm that has only what the language defines', async () => {
  const realm = createContext(Object.create(null));
  const strip = `for (const name of Object.getOwnPropertyNames(globalThis))
    if (!${JSON.stringify(ES2022.split(' '))}.includes(name)) delete globalThis[name];
    Object.getOwnPropertyNames(globalThis).length`;
  expect(runInContext(strip, realm)).toBeLessThanOrEqual(ES2022.split(' ').length);

  const { code } = await bundle(exercise(), 'iife');
  const result = runInContext(`${code}; insn.result`, realm) as string;
  const here = (await import(`data:text/javascript,${encodeURIComponent((await bundle(exercise())).code)}`)) as {
    result: string;
  };
  expect(result).toBe(here.result);
  expect(result.split('\n')[0]).toBe(
    [
      'bf16000000000000', // r6 = r1
      '18030000f0debc9a0000000078563412', // r3 = 0x123456789abcdef0 ll
      '18110000050000000000000000000000', // r1 = map_fd[5] ll
      '7b3af8ff00000000', // *(u64 *)(r10 - 8) = r3
      '6162040000000000', // r2 = *(u32 *)(r6 + 4)
      '1502020000000000', // if r2 == 0 goto +2
      '8500000001000000', // call 1
      '07000000ffffffff', // r0 += -1
      'b700000000000000', // r0 = 0
      '9500000000000000', // exit
    ].join(''),
  );
});
