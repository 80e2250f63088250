import type { Btf, BtfAccess, BtfArgument, BtfFunction } from '@bpf/btf';
import { findField, structBehind } from './field.ts';
import { isPointer, isSockaddr, isString, isText } from './kinds.ts';

/** A value that is shown of each call: where the program finds it, and how it is taken along. */
export interface Value {
  /** As it was asked for: an argument's name, or a path from there. */
  readonly name: string;
  /** The argument, or what the function returned, in the context. */
  readonly arg: BtfArgument;
  /** The way from what the argument points to; undefined for the argument itself. */
  readonly field: BtfAccess | undefined;
  /** The declared type. */
  readonly typeId: number;
  /** `bytes` are taken as they are, a `string` up to its NUL, a `sockaddr` as far as there is memory. */
  readonly kind: 'bytes' | 'string' | 'sockaddr';
  /** Whether a string or a sockaddr is behind a pointer, or is the field. */
  readonly pointer: boolean;
}

/** The largest field that is shown whole. */
const MAX_FIELD_BYTES = 256;

/** All arguments, or those that were asked for and that this function has. */
export function valuesOf(btf: Btf, func: BtfFunction, asked: readonly string[] | undefined): Value[] {
  if (asked === undefined)
    return func.params.map((arg, i) => valueIn(btf, arg.name || `arg${i}`, arg, isText(btf, arg.typeId)));
  return asked.flatMap((path) => {
    const arg = func.params.find(({ name }) => name === argumentName(path));
    return arg ? [valueAt(btf, func, arg, path)] : [];
  });
}

/** What the function returned; null when it returns nothing. */
export function resultOf(btf: Btf, { returns }: BtfFunction): Value | null {
  return returns ? valueIn(btf, 'ret', returns, isText(btf, returns.typeId)) : null;
}

/** The argument that a path starts from. */
export const argumentName = (path: string): string => path.split(/[.[]/, 1)[0] ?? '';

function valueAt(btf: Btf, func: BtfFunction, arg: BtfArgument, path: string): Value {
  const inner = path.slice(arg.name.length).replace(/^\./, '');
  // Who names a `char *` knows that a string is there.
  if (inner === '') return valueIn(btf, path, arg, isString(btf, arg.typeId));
  const struct = structBehind(btf, arg.typeId);
  if (struct === undefined)
    throw new Error(`'${arg.name}' of ${func.name} does not point to a struct, and has no '${inner}'.`);
  const field = findField(btf, struct, inner);
  const { typeId, size } = field;
  const value = valueIn(btf, path, { ...arg, typeId }, isString(btf, typeId));
  if (value.kind === 'bytes' && size > MAX_FIELD_BYTES)
    throw new Error(`'${path}' has ${size} bytes, and at most ${MAX_FIELD_BYTES} are shown: name a field of it.`);
  return { ...value, field };
}

function valueIn(btf: Btf, name: string, arg: BtfArgument, string: boolean): Value {
  const { typeId } = arg;
  const kind = string ? 'string' : isSockaddr(btf, typeId) ? 'sockaddr' : 'bytes';
  return { name, arg, field: undefined, typeId, kind, pointer: isPointer(btf, typeId) };
}
