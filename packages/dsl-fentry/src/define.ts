import type { Btf, BtfFunction } from '@bpf/btf';
import { DslError, type SavedRegister, type StructPtr, structPtr } from '@bpf/dsl';
import type { Program } from '@bpf/insn';
import type { FentryKind } from './attach-types.ts';
import { ended } from './build.ts';
import { argumentOf, functionOf, tracepointOf } from './functions.ts';
import { type FentryInfo, makeInfo } from './info.ts';
import { placeArgs, prologue } from './prologue.ts';

/** What is asked of the kernel's types: a `Btf` answers it. */
export type KernelTypes = Pick<Btf, 'access' | 'find' | 'func' | 'resolve' | 'type'>;

/** An argument's name, or its number from 0; 'return' is what the function returned, as no argument can be called. */
export type ArgName = string | number;

type Registers = readonly ['r6', 'r7', 'r8', 'r9'];

/** Where the body finds each argument: the first four in these registers, the others at these offsets in the stack. */
export type ArgHomes<Names extends readonly ArgName[]> = {
  readonly [I in Extract<keyof Names, `${number}`> as Names[I] & ArgName]: I extends keyof Registers
    ? Registers[I]
    : number;
};

/** The arguments that are pointers to structs, for `readField`. Asking for another throws. */
export type ArgPtrs<Names extends readonly ArgName[]> = { readonly [N in Names[number]]: StructPtr };

/** What a program does with its arguments. */
export type FentryBody<Names extends readonly ArgName[]> = (args: ArgHomes<Names>, ptrs: ArgPtrs<Names>) => Program;

interface Common<Names extends readonly ArgName[]> {
  /** What `bpftool prog` shows; the target's name unless told. */
  readonly name?: string;
  /** The types of the kernel that it is for, or of the module that has the function. */
  readonly btf: KernelTypes;
  /** The arguments that the body wants. */
  readonly args?: Names;
}

/** What a program is for, and what it wants. */
export interface FentryOptions<Names extends readonly ArgName[]> extends Common<Names> {
  /** The kernel function. */
  readonly function: string;
}

/** There is nothing returned yet. */
type NoReturn<Names extends readonly ArgName[]> = 'return' extends Names[number] ? { readonly args: never } : unknown;

/**
 * Defines a program that runs when a kernel function is entered, by the names of its arguments:
 *
 * ```c
 * r6 = first of args; r7 = second; ... // each with its slot, size and sign
 * body;
 * return: r0 = 0; exit;
 * ```
 *
 * The first four are in r6, r7, r8 and r9, whichever they are of the function's; all others in the stack, from r10 - 8
 * downwards. Those of the four registers that no argument is in are the body's own. The body's second parameter has the
 * arguments that point to structs, for `readField`. r1 is the context until the body's first helper call. The body may jump
 * to the label 'return'. Linux 5.5.
 *
 * @throws DslError `NO_FUNCTION`, `NO_ARGUMENT`, `ARGUMENT_SIZE` for a struct passed by value that one register does not
 *   hold
 * @example
 * ```ts
 * const opens = defineFentry({ function: 'do_sys_openat2', btf, args: ['filename'] }, ({ filename }) => [
 *   filterByPid(1234, 'return'),
 *   zeroStack(-64, 64),
 *   probeReadUserStr(-64, 64, filename),
 *   ringbufOutput('events', -64, 64),
 * ]);
 * using program = loadProgram(opens, { maps: { events } });
 * ```
 */
export function defineFentry<const Names extends readonly ArgName[] = []>(
  options: FentryOptions<Names> & NoReturn<Names>,
  body: FentryBody<Names>,
): FentryInfo {
  return define('fentry', functionOf(options.btf, options.function), options, body);
}

/**
 * Defines a program that runs when a kernel function returns: as {@link defineFentry}, with 'return' among the arguments for
 * what it returned. Those that it was called with may point to what is no longer there, and then read as 0.
 *
 * @throws DslError as {@link defineFentry}
 * @example
 * ```ts
 * defineFexit({ function: 'do_unlinkat', btf, args: ['return'] }, ({ return: result }) => [
 *   jne(result, 0, 'return'), // it failed
 *   ...
 * ]);
 * ```
 */
export function defineFexit<const Names extends readonly ArgName[] = []>(
  options: FentryOptions<Names>,
  body: FentryBody<Names>,
): FentryInfo {
  return define('fexit', functionOf(options.btf, options.function), options, body);
}

/**
 * Defines a program that runs before a kernel function, and may take its place: as {@link defineFentry}, and where the body
 * ends with `fentryReturn(-errno)`, the function does not run and returns that. 'return' is what the program before this one
 * returned. Only for `security_*` functions and those open to error injection. Linux 5.7.
 *
 * @throws DslError as {@link defineFentry}
 * @example
 * ```ts
 * defineFmodRet({ function: 'security_task_setnice', btf, args: ['nice'] }, ({ nice }) => [
 *   jsge(nice, 0, 'return'),
 *   fentryReturn(-EPERM),
 * ]);
 * ```
 */
export function defineFmodRet<const Names extends readonly ArgName[] = []>(
  options: FentryOptions<Names>,
  body: FentryBody<Names>,
): FentryInfo {
  return define('fmod_ret', functionOf(options.btf, options.function), options, body);
}

/**
 * Defines a program that runs at a tracepoint: as {@link defineFentry}, for kernels that let no function be traced, too.
 *
 * @throws DslError as {@link defineFentry}
 * @example
 * ```ts
 * defineTpBtf({ tracepoint: 'sched_process_fork', btf, args: ['child'] }, (_, { child }) => [
 *   readField(child, 'r7', 'tgid'),
 *   ...
 * ]);
 * ```
 */
export function defineTpBtf<const Names extends readonly ArgName[] = []>(
  options: Common<Names> & { readonly tracepoint: string } & NoReturn<Names>,
  body: FentryBody<Names>,
): FentryInfo {
  return define('tp_btf', tracepointOf(options.btf, options.tracepoint), options, body);
}

function define<const Names extends readonly ArgName[]>(
  kind: FentryKind,
  func: BtfFunction,
  { name = func.name, btf, args }: Common<Names>,
  body: FentryBody<Names>,
): FentryInfo {
  const names: readonly ArgName[] = args ?? [];
  if ((kind === 'fentry' || kind === 'tp_btf') && names.includes('return'))
    throw new DslError('NO_ARGUMENT', `${kind} programs have no return value: fexit programs do`);
  const places = names.map((arg) => argumentOf(func, arg));
  const saves = placeArgs(places);
  const homes: Record<ArgName, SavedRegister | number> = {};
  const ptrs: Record<ArgName, StructPtr> = {};
  for (const [i, arg] of names.entries()) {
    const [, home] = saves[i] as (typeof saves)[number];
    const { slot, slots, size } = places[i] as (typeof places)[number];
    // What the types say is a register must be one.
    if (i < 4 && slots > 1)
      throw new DslError(
        'ARGUMENT_SIZE',
        `'${arg}' of ${func.name} is ${size} bytes passed by value: name it fifth or later, for the stack, or load slots ${slot} to ${slot + slots - 1} with prologue`,
      );
    homes[arg] = home as SavedRegister | number;
    Object.defineProperty(ptrs, arg, { get: () => pointer(btf, func, arg, home as SavedRegister | number) });
  }
  const instructions: Program = [prologue(saves), ended(body(homes as ArgHomes<Names>, ptrs as ArgPtrs<Names>))];
  return makeInfo(kind, name, func.name, instructions);
}

/** The struct that an argument points to. */
function pointer(btf: KernelTypes, func: BtfFunction, arg: ArgName, home: SavedRegister | number): StructPtr {
  const refuse = (why: string): never => {
    throw new DslError('NOT_A_POINTER', `'${arg}' of ${func.name} ${why}`);
  };
  const type = btf.type(btf.resolve(argumentOf(func, arg).typeId));
  if (type.kind !== 'ptr') return refuse(`is no pointer to a struct: its type is ${type.kind}`);
  const target = btf.type(btf.resolve(type.typeId));
  if (target.kind !== 'struct' && target.kind !== 'union')
    return refuse(`points to no struct, but ${target.kind} ${target.name}: copy from there with probeReadKernel`);
  if (typeof home === 'number') return refuse('lies in the stack: name it among the first four');
  return structPtr(btf, target.id, home);
}
