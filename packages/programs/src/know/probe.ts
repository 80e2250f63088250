import type { Answer } from './answer.ts';
import { type AttachKind, attachKinds, haveAttach } from './attach-kind.ts';
import { featureNames, haveFeature } from './feature.ts';
import { haveMapType, mapTypeNames } from './map-type.ts';
import { progTypeNames } from './minimal.ts';
import { haveProgType } from './prog-type.ts';

/** One thing that was asked for. */
export interface Probe {
  readonly kind: 'prog' | 'map' | 'attach' | 'feature';
  /** As `haveProgType`, `haveMapType`, `haveAttach` and `haveFeature` take it. */
  readonly name: string;
  readonly answer: Answer;
}

/**
 * Asks for everything but helpers, one after the other: all types of programs and maps, kinds of attachments and features,
 * as `bpftool feature probe` does. A tenth of a second or less. Any Linux.
 *
 * @example
 * ```ts
 * for (const { kind, name, answer } of probeAll()) if (!answer.supported) console.log(kind, name, answer.reason);
 * ```
 */
export function* probeAll(): Generator<Probe> {
  for (const name of progTypeNames) yield { kind: 'prog', name, answer: haveProgType(name) };
  for (const name of mapTypeNames) yield { kind: 'map', name, answer: haveMapType(name) };
  for (const name of attachKinds) yield { kind: 'attach', name, answer: haveAttach(name as AttachKind) };
  for (const name of featureNames) yield { kind: 'feature', name, answer: haveFeature(name) };
}
