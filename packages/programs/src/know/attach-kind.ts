import { readFileSync } from 'node:fs';
import type { SysError } from '@bpf/sys';
import { type Answer, attempt, remembered, unsure, yes } from './answer.ts';
import { type TargetedKind, targetedKinds } from './attach-targets.ts';
import { type AttachKind, attachWays } from './attach-ways.ts';
import { loadFor, loadMinimal, targetName } from './minimal.ts';
import type { AttachWay } from './nowhere.ts';

export type { TargetedKind } from './attach-targets.ts';
export type { AttachKind } from './attach-ways.ts';

/** Every kind of attachment. */
export const attachKinds = [...Object.keys(targetedKinds), ...Object.keys(attachWays)] as (AttachKind | TargetedKind)[];

/**
 * Whether this kernel has a kind of attachment. Links are tried with places that are not there, which the kernel finds out
 * only when it knows such links; kinds on the kernel's own functions by loading a program for one. Nothing is attached.
 *
 * @param target of kinds that have one by name: the function (fentry, fexit, fsession, fmod_ret), tracepoint (tp_btf), hook
 *   (lsm, lsm_cgroup) or iterator (iter) to load for, so that the answer is about that one
 * @throws RangeError for a name that is no kind
 * @example
 * ```ts
 * haveAttach('kprobe_multi').supported;
 * haveAttach('iter', 'tcp').supported;
 * ```
 */
export function haveAttach(kind: TargetedKind, target?: string): Answer;
export function haveAttach(kind: AttachKind): Answer;
export function haveAttach(kind: AttachKind | TargetedKind, target?: string): Answer {
  if (Object.hasOwn(targetedKinds, kind))
    return remembered(`attach/${kind}/${target}`, () => tryTarget(kind as TargetedKind, target));
  if (!Object.hasOwn(attachWays, kind))
    throw new RangeError(`'${kind}' is not a kind of attachment; they are ${attachKinds.join(', ')}`);
  if (target !== undefined) throw new RangeError(`attachments of kind ${kind} have no target to name`);
  const way = attachWays[kind as AttachKind];
  return remembered(`attach/${kind}`, () => tryLink(way));
}

function tryLink({ run, exists, ...asked }: AttachWay): Answer {
  return attempt(asked, run, ({ code }: SysError) => exists?.includes(code) === true);
}

function tryTarget(kind: TargetedKind, target: string | undefined): Answer {
  const { type, attachType, ...asked } = targetedKinds[kind];
  let missing = false;
  const answer = attempt(asked, () => {
    const load = loadFor(attachType, target);
    missing = load === undefined;
    return load !== undefined && loadMinimal(type, load);
  });
  if (missing && target !== undefined)
    return { supported: false, reason: `this kernel's types have no ${targetName(attachType, target)}` };
  return answer.supported && type === 'lsm' ? isSecurityModule() : answer;
}

/** Where bpf is not among the security modules, LSM programs load and attach, and never run. */
function isSecurityModule(): Answer {
  let modules: string;
  try {
    modules = readFileSync('/sys/kernel/security/lsm', 'latin1').trim();
  } catch {
    return unsure(
      'such programs load, but whether they ever run is not known: /sys/kernel/security/lsm cannot be read',
    );
  }
  if (modules.split(',').includes('bpf')) return yes;
  const reason = `bpf is not among the security modules of this kernel (${modules}): boot it with lsm=${modules},bpf`;
  return { supported: false, reason };
}
