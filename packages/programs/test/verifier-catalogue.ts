import { calls } from './verifier-catalogue-calls.ts';
import { flow } from './verifier-catalogue-flow.ts';
import { memory } from './verifier-catalogue-memory.ts';
import type { Refused } from './verifier-catalogue-parts.ts';
import { registers } from './verifier-catalogue-registers.ts';
import { stack } from './verifier-catalogue-stack.ts';

/**
 * Programs that are refused. The maps that they use have a value of 8 bytes: 'counts' is a hash, 'codes' an array that
 * programs may only read, 'sink' one that they may only write; 'events' is a ring buffer.
 *
 * @param kernelFunction the BTF id of a kernel function that is no kfunc
 */
export function catalogue(kernelFunction: number): readonly Refused[] {
  return [...registers, ...memory, ...stack, ...calls(kernelFunction), ...flow];
}
