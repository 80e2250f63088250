import type { Btf, BtfArgument, BtfFunction, BtfType } from '@bpf/btf';
import { DslError } from '@bpf/dsl';
import { type ArgSave, savedRegisters } from './prologue.ts';

/** What is asked of the kernel's types about functions: a `Btf` answers it. */
export type FunctionTypes = Pick<Btf, 'find' | 'func' | 'type'>;

/**
 * What a function takes and returns, with the slots of the context; undefined when these types have no such function.
 *
 * @example
 * ```ts
 * resolveBtfFunction(btf, 'vfs_read')?.params.map(({ name, slot }) => [name, slot]);
 * ```
 */
export function resolveBtfFunction(types: FunctionTypes, func: string): BtfFunction | undefined {
  const id = types.find('func', func);
  return id === undefined ? undefined : types.func(id);
}

/**
 * The number of an argument, from 0, by its name; undefined when there is none of that name, or no such function. Its slot
 * may be another: see {@link argumentOf}.
 *
 * @example
 * ```ts
 * getArgByName(btf, 'tcp_v4_connect', 'uaddr'); // 1
 * ```
 */
export function getArgByName(types: FunctionTypes, func: string, name: string): number | undefined {
  const index = resolveBtfFunction(types, func)?.params.findIndex((param) => param.name === name) ?? -1;
  return index < 0 ? undefined : index;
}

/**
 * The declared type of an argument; undefined when the function has none of that number, or is none.
 *
 * @example
 * ```ts
 * getArgType(btf, 'tcp_v4_connect', 0)?.kind; // 'ptr'
 * ```
 */
export function getArgType(types: FunctionTypes, func: string, index: number): BtfType | undefined {
  const param = resolveBtfFunction(types, func)?.params[index];
  return param && types.type(param.typeId);
}

/**
 * The declared type of what a function returns, of the kind 'void' for nothing; undefined when there is no such function.
 *
 * @example
 * ```ts
 * getReturnType(btf, 'tcp_v4_connect')?.name; // 'int'
 * ```
 */
export function getReturnType(types: FunctionTypes, func: string): BtfType | undefined {
  const found = resolveBtfFunction(types, func);
  return found && types.type(found.returns?.typeId ?? 0);
}

/**
 * Where to save a function's arguments: the first four that a register can hold in r6, r7, r8 and r9, for {@link prologue}.
 *
 * @throws DslError `NO_FUNCTION`
 * @example
 * ```ts
 * prologue(suggestArgSaves(btf, 'tcp_v4_connect')); // r6 = sk, r7 = uaddr, r8 = addr_len
 * ```
 */
export function suggestArgSaves(types: FunctionTypes, func: string): ArgSave[] {
  const places = functionOf(types, func).params.filter(({ slots }) => slots === 1);
  return savedRegisters.flatMap((reg, i) => (places[i] ? [[places[i], reg] as const] : []));
}

/**
 * An argument by its name or number, or what the function returns, as 'return': with its slot, size and sign.
 *
 * @throws DslError `NO_ARGUMENT`, with the names that there are
 * @example
 * ```ts
 * loadArg('r6', argumentOf(btf.func('do_sys_openat2'), 'filename'));
 * ```
 */
export function argumentOf({ name, params, returns }: BtfFunction, arg: string | number): BtfArgument {
  const found =
    arg === 'return' ? returns : typeof arg === 'number' ? params[arg] : params.find((param) => param.name === arg);
  if (found) return found;
  if (arg === 'return') throw new DslError('NO_ARGUMENT', `${name} returns nothing`);
  const names = params.map((param, i) => param.name || i).join(', ');
  throw new DslError('NO_ARGUMENT', `${name} has no argument '${arg}'; it has ${names || 'none'}`);
}

/** @throws DslError `NO_FUNCTION` */
export function functionOf(types: FunctionTypes, func: string): BtfFunction {
  const found = resolveBtfFunction(types, func);
  if (found) return found;
  throw new DslError('NO_FUNCTION', whyNoFunction(func));
}

export function whyNoFunction(func: string): string {
  return `there is no function '${func}' in these types: this kernel lacks it, has it inlined, or has it in a module, whose types are its own`;
}

/**
 * What a tracepoint's programs get, with names where the kernel's types have them.
 *
 * @throws DslError `NO_FUNCTION`
 * @example
 * ```ts
 * loadArg('r6', argumentOf(tracepointOf(btf, 'sched_process_fork'), 'child'));
 * ```
 */
export function tracepointOf(types: FunctionTypes, tracepoint: string): BtfFunction {
  const id = types.find('typedef', `btf_trace_${tracepoint}`);
  if (id === undefined) throw new DslError('NO_FUNCTION', `there is no tracepoint '${tracepoint}' in these types`);
  const { params, ...func } = types.func(id);
  // A pointer's prototype names no parameters; that of the functions behind it does. The first is not for programs.
  const behind = [`__bpf_trace_${tracepoint}`, `__traceiter_${tracepoint}`];
  const named = behind.map((func) => resolveBtfFunction(types, func)).find((func) => func !== undefined)?.params;
  return {
    ...func,
    name: tracepoint,
    params: params.slice(1).map((param, i) => {
      const name = named?.length === params.length ? named[i + 1]?.name : undefined;
      return { ...param, slot: param.slot - 1, name: name ?? param.name };
    }),
    returns: undefined,
  };
}
