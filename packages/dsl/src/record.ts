import { type Program, type Register, st, stx } from '@bpf/insn';
import { DslError } from './error.ts';
import { copyField, isScalar, nameOf, readField, readString, type StructPtr } from './fields.ts';
import { checkStack, sizeLetters, zeroStack } from './stack.ts';

/** What is asked of a struct's layout: a schema of `@bpf/btf/data` answers it. */
export interface RecordLayout<Name extends string> {
  readonly size: number;
  readonly offsets: { readonly [N in Name]: number };
  readonly shape: { readonly kind: string } | FieldsShape;
}

interface FieldsShape {
  readonly kind: 'struct' | 'union';
  readonly fields: readonly { readonly name: string; readonly offset: number; readonly schema: FieldLayout }[];
}

interface FieldLayout {
  readonly size: number;
  readonly shape: { readonly kind: string };
}

/** A record that a program makes in its stack, field by field, for the reader. */
export interface StackRecord<Name extends string> {
  readonly at: number;
  readonly size: number;
  readonly fields: ReadonlyMap<string, FieldPlace>;
  /** The name of a field, in the type only. */
  readonly name?: Name;
}

interface FieldPlace extends FieldLayout {
  readonly at: number;
}

/**
 * Says where in the stack a record lies, so that its fields are set by their names. Emits nothing. All of it must be written
 * before it is handed out, the bytes between its fields as well: {@link zeroGaps}, or `zeroStack(record.at, record.size)`.
 *
 * @param at a negative multiple of 8
 * @throws DslError `STACK_RANGE`
 * @example
 * ```ts
 * const Connect = struct({ pid: u32, port: u16, comm: char(16) });
 * const event = stackRecord(Connect, -24);
 * [
 *   zeroGaps(event),
 *   setField(event, 'pid', currentPid()),
 *   copyFields(sk, event, { port: '__sk_common.skc_num' }),
 *   currentComm(fieldAt(event, 'comm')),
 *   ringbufOutput('events', event.at, event.size),
 * ]
 * ```
 */
export function stackRecord<Name extends string>(layout: RecordLayout<Name>, at: number): StackRecord<Name> {
  checkStack('stackRecord', at, layout.size, 8);
  const { fields } = layout.shape as FieldsShape;
  return {
    at,
    size: layout.size,
    fields: new Map(fields.map(({ name, offset, schema }) => [name, { ...schema, at: at + offset }])),
  };
}

/**
 * Emits `record.field = value`. Clobbers nothing, but for what the sequence does that makes the value.
 *
 * @param value a register, a number, or a sequence that leaves the value in r0
 * @throws DslError `UNKNOWN_FIELD`, `FIELD_SIZE` for a field that is no number, `STACK_RANGE` for one that a packed record
 *   has where the stack cannot be written
 * @example
 * ```ts
 * [setField(event, 'pid', currentPid()), setField(event, 'fd', 'r7'), setField(event, 'kind', 1)]
 * ```
 */
export function setField<Name extends string>(
  record: StackRecord<Name>,
  name: NoInfer<Name>,
  value: Register | number | Program,
): Program {
  const { at, size } = placeOf(record, name);
  const letter = sizeLetters[size];
  if (letter === undefined)
    throw new DslError('FIELD_SIZE', `setField: '${name}' has ${size} bytes, and a register has 8`);
  checkStack(`setField: '${name}'`, at, size, size);
  if (typeof value === 'number') return [st(letter, 'r10', at, value)];
  if (typeof value === 'string') return [stx(letter, 'r10', value, at)];
  return [value, stx(letter, 'r10', 'r0', at)];
}

/**
 * Emits `record.a = ptr->path; …`: fills fields of a record from those of a struct of the kernel. Numbers and pointers go
 * through {@link readField}, texts (`char(n)`) through {@link readString}, all else through {@link copyField}. What lies
 * behind a pointer that is NULL is 0. Clobbers r0 to r5.
 *
 * @throws DslError `UNKNOWN_FIELD`, `FIELD_SIZE` when the kernel's field is wider, or another kind of thing; BtfError
 * @example
 * ```ts
 * copyFields(sk, event, { port: '__sk_common.skc_num', daddr: '__sk_common.skc_daddr' })
 * ```
 */
export function copyFields<Name extends string>(
  ptr: StructPtr,
  record: StackRecord<Name>,
  paths: { readonly [N in NoInfer<Name>]?: string },
): Program {
  return Object.entries<string | undefined>(paths).map(([name, path]) =>
    path === undefined ? [] : copyOne(ptr, record, name, path),
  );
}

function copyOne(ptr: StructPtr, record: StackRecord<string>, name: string, path: string): Program {
  const { at, size, shape } = placeOf(record, name);
  if (shape.kind === 'char') return readString(ptr, path, at, size);
  const there = ptr.types.access(ptr.struct, path);
  // Where a register cannot be stored, as in arrays of bytes, which are aligned to 1, or in packed records.
  const aligned = at % size === 0 || there.size !== size || there.bitfield;
  if (!isScalar(ptr.types, there.typeId) || !aligned) return copyField(ptr, path, at, size);
  const bits = there.bitfield?.size ?? there.size * 8;
  if (bits > size * 8)
    throw new DslError('FIELD_SIZE', `'${path}' of '${nameOf(ptr)}' has ${bits} bits, and '${name}' only ${size * 8}`);
  return setField(record, name, readField(ptr, 'r0', path));
}

/**
 * Where a field of a record lies in the stack, for helpers that write there.
 *
 * @throws DslError `UNKNOWN_FIELD`
 * @example
 * ```ts
 * currentComm(fieldAt(event, 'comm'))
 * ```
 */
export function fieldAt<Name extends string>(record: StackRecord<Name>, name: NoInfer<Name>): number {
  return placeOf(record, name).at;
}

/**
 * Emits zeros for the bytes of a record that no field has, which are handed out with the others. Clobbers nothing.
 *
 * @example
 * ```ts
 * zeroGaps(stackRecord(struct({ pid: u32, time: u64 }), -16)) // *(u32 *)(r10 - 12) = 0
 * ```
 */
export function zeroGaps(record: StackRecord<string>): Program {
  const gaps: Program[] = [];
  let end = record.at;
  for (const { at, size } of record.fields.values()) {
    if (at > end) gaps.push(zeroStack(end, at - end));
    end = Math.max(end, at + size);
  }
  if (end < record.at + record.size) gaps.push(zeroStack(end, record.at + record.size - end));
  return gaps;
}

function placeOf(record: StackRecord<string>, name: string): FieldPlace {
  const place = record.fields.get(name);
  if (place) return place;
  throw new DslError(
    'UNKNOWN_FIELD',
    `the record has no field '${name}'; it has ${[...record.fields.keys()].join(', ')}`,
  );
}
