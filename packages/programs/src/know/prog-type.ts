import { type ProgType, progTypeSince } from '@bpf/sys';
import { type Answer, attempt, remembered } from './answer.ts';
import { loadMinimal, progTypeNames, progTypes } from './minimal.ts';

/**
 * Whether this kernel has a type of programs, tried by loading one that does nothing. Any Linux.
 *
 * @throws RangeError for a name that is no type
 * @example
 * ```ts
 * const answer = haveProgType('netfilter');
 * if (answer.supported === false) console.log(answer.reason); // netfilter programs need Linux 6.4, and this is 6.1.0
 * ```
 */
export function haveProgType(type: ProgType): Answer {
  if (!Object.hasOwn(progTypes, type))
    throw new RangeError(`'${type}' is not a type of programs; they are ${progTypeNames.join(', ')}`);
  const { wantsTarget, config } = progTypes[type];
  return remembered(`prog/${type}`, () =>
    attempt(
      { what: `${type} programs`, since: progTypeSince[type], config },
      () => loadMinimal(type),
      // It got as far as the verifier, which asks for the target.
      ({ log }) => wantsTarget === true && log !== undefined && log !== '',
    ),
  );
}
