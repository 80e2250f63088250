import type { Btf } from '@bpf/btf';
import { type AnySchema, type StructSchema, struct } from '@bpf/btf/data';
import { copyFields, readField, setField, stackRecord, structPtr } from '@bpf/dsl';
import {
  type IterInfo,
  type IterTarget,
  iterProgram,
  loadCtxPtr,
  loadOrExit,
  returnContinue,
  writeRecord,
} from '@bpf/dsl-iter';
import { jeq, label, type Program } from '@bpf/insn';
import { type IterFieldPlace, structOf } from './fields.ts';

type Row = StructSchema<Readonly<Record<string, AnySchema>>>;
const registers = ['r7', 'r8', 'r9'] as const;

export interface FieldsProgram {
  readonly spec: IterInfo;
  /** A record: a field for each that was asked for, `f0`, `f1`, … */
  readonly row: Row;
}

/**
 * The program that writes a record of these fields for each element.
 *
 * @param pid only tasks of this process
 */
export function fieldsProgram(
  btf: Btf,
  target: IterTarget,
  fields: readonly IterFieldPlace[],
  pid: number | undefined,
): FieldsProgram {
  const row: Row = struct(Object.fromEntries(fields.map(({ schema }, i) => [`f${i}`, schema])));
  const size = Math.ceil(row.size / 8) * 8;
  if (size > 480)
    throw new Error(`These fields have ${row.size} bytes, and a program has room for 480: ask for fewer.`);
  const record = stackRecord(row, -size);
  const objects = [...new Set(fields.filter(({ inner }) => inner !== undefined).map(({ object }) => object))];
  if (pid !== undefined && !objects.includes('task')) objects.unshift('task');
  if (objects.length > registers.length) throw new Error('Fields of at most three objects can be shown at once.');
  const pointerTo = new Map(objects.map((object, i) => [object, registers[i] ?? 'r7'] as const));
  const at = (object: string) => structPtr(btf, structOf(btf, target, object), pointerTo.get(object) ?? 'r7');

  const spec = iterProgram(
    target,
    `iter_${target}`.slice(0, 15),
    (ctx): Program => [
      objects.map((object) => loadOrExit(ctx, pointerTo.get(object) ?? 'r7', object as never)),
      pid === undefined
        ? []
        : [readField(at('task'), 'r1', 'tgid'), jeq('r1', pid, 'wanted'), returnContinue(), label('wanted')],
      fields.map(({ object, inner }, i) =>
        inner === undefined
          ? [loadCtxPtr(ctx, 'r1', object as never), setField(record, `f${i}`, 'r1')]
          : copyFields(at(object), record, { [`f${i}`]: inner }),
      ),
      writeRecord(ctx, record),
    ],
  );
  return { spec, row };
}
