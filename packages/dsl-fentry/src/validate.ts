import type { BtfFunction } from '@bpf/btf';
import { MAX_ARGS } from './arguments.ts';
import type { FentryKind } from './attach-types.ts';
import { type FunctionTypes, resolveBtfFunction, whyNoFunction } from './functions.ts';

/** Functions that every kernel refuses, as the programs themselves need them (btf_id_deny in kernel/bpf/verifier.c). */
export const deniedFunctions: ReadonlySet<string> = new Set([
  'migrate_disable',
  'migrate_enable',
  'rcu_read_unlock_strict',
  'preempt_count_add',
  'preempt_count_sub',
  '__rcu_read_lock',
  '__rcu_read_unlock',
]);

/** Bytes of the largest struct that is passed by value. */
const MAX_BY_VALUE = 16;

export interface TargetOptions {
  /** What is to be attached: 'fentry' unless told. */
  readonly kind?: Exclude<FentryKind, 'tp_btf'>;
  /**
   * The content of `/sys/kernel/tracing/available_filter_functions`. Types alone do not tell: of those in them, one in six
   * can be loaded for but not attached to, as ftrace does not know it.
   */
  readonly traceable?: string;
  /** For 'fmod_ret', the content of `/sys/kernel/debug/error_injection/list`. */
  readonly modifiable?: string;
}

/** What is known of a function as a target. */
export interface TargetCheck {
  /** Nothing speaks against it. */
  readonly valid: boolean;
  readonly func: BtfFunction | undefined;
  readonly paramCount: number;
  /** What does, a sentence each. */
  readonly reasons: readonly string[];
  /** What could not be told, or depends on the kernel's age. */
  readonly warnings: readonly string[];
}

/**
 * Says whether a function can be traced, and why not, as far as its types tell, and the lists that the kernel has of such
 * functions.
 *
 * @example
 * ```ts
 * const traceable = readFileSync('/sys/kernel/tracing/available_filter_functions', 'utf8');
 * const { valid, reasons } = validateTarget(btf, 'vfs_read', { traceable });
 * ```
 */
export function validateTarget(types: FunctionTypes, name: string, options: TargetOptions = {}): TargetCheck {
  const { kind = 'fentry', traceable, modifiable } = options;
  const func = resolveBtfFunction(types, name);
  const reasons = func ? whyNotTraced(func) : [whyNoFunction(name)];
  const warnings = func ? doubts(func) : [];
  if (deniedFunctions.has(name))
    reasons.push(`${name} is what tracing programs need themselves: the kernel refuses it`);
  if (traceable === undefined) warnings.push('whether ftrace knows it was not asked (available_filter_functions)');
  else if (!lists(traceable, name))
    reasons.push(`${name} is not among the functions that ftrace knows (available_filter_functions): attaching fails`);
  if (kind === 'fmod_ret' && !name.startsWith('security_')) {
    if (modifiable === undefined)
      warnings.push('whether its result may be replaced was not asked (error_injection/list)');
    else if (!lists(modifiable, name))
      reasons.push(
        `the result of ${name} may not be replaced: it is no security_* function, nor open to error injection`,
      );
  }
  return { valid: reasons.length === 0, func, paramCount: func?.params.length ?? 0, reasons, warnings };
}

function whyNotTraced({ name, params, returns, variadic }: BtfFunction): string[] {
  const reasons: string[] = [];
  if (variadic) reasons.push(`${name} takes a variable number of arguments (...), whose places are not known`);
  if (params.length > MAX_ARGS)
    reasons.push(`${name} takes ${params.length} arguments, more than the ${MAX_ARGS} that the kernel traces`);
  for (const param of params) {
    const what = `'${param.name}' of ${name}`;
    if (param.kind === 'float') reasons.push(`${what} is a floating-point number, which is in no slot`);
    else if (param.size > MAX_BY_VALUE)
      reasons.push(`${what} is ${param.size} bytes passed by value: the kernel traces up to ${MAX_BY_VALUE}`);
  }
  if (returns?.kind === 'struct' || returns?.kind === 'union' || returns?.kind === 'float')
    reasons.push(`${name} returns a ${returns.kind} by value, which is in no slot`);
  return reasons;
}

function doubts({ params }: BtfFunction): string[] {
  const warnings: string[] = [];
  const slots = params.reduce((sum, param) => sum + param.slots, 0);
  if (slots > 6) warnings.push(`its arguments take ${slots} slots: more than 6 need Linux 6.6 on x86-64`);
  if (params.some(({ kind }) => kind === 'struct' || kind === 'union'))
    warnings.push('it takes a struct by value: that needs Linux 6.1');
  return warnings;
}

/** Whether a line starts with this word. */
function lists(text: string, word: string): boolean {
  for (let at = text.indexOf(word); at >= 0; at = text.indexOf(word, at + 1)) {
    const starts = at === 0 || text[at - 1] === '\n';
    if (starts && /^\s?$/.test(text.charAt(at + word.length))) return true;
  }
  return false;
}
