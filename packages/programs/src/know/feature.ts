import { type Answer, attempt, remembered } from './answer.ts';
import { type Feature, features } from './feature-ways.ts';

export type { Feature } from './feature-ways.ts';

/** Every feature. */
export const featureNames = Object.keys(features) as Feature[];

/**
 * Whether this kernel can do a thing that is no type of program, map or attachment, tried by doing it on a small scale. Any
 * Linux.
 *
 * @throws RangeError for a name that is no feature
 * @example
 * ```ts
 * if (haveFeature('isa_v4').supported) console.log('bswap, movsx, gotol and signed division');
 * ```
 */
export function haveFeature(name: Feature): Answer {
  if (!Object.hasOwn(features, name))
    throw new RangeError(`'${name}' is not a feature; they are ${featureNames.join(', ')}`);
  const { run, exists, ...asked } = features[name];
  return remembered(`feature/${name}`, () => attempt(asked, run, ({ code }) => exists?.includes(code) === true));
}
