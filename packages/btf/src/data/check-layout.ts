import type { Btf } from '../btf.ts';
import { BtfError } from '../error.ts';
import { schemaOf } from './from-btf.ts';
import type { AnySchema, ShapeField } from './schema.ts';

/**
 * Checks that a schema lays data out as a type of BTF does, such as that of a map's value: every field of the one is in
 * the other, at the same offset and of the same size, however deep. A union may lack members. How a field is read is up
 * to the schema: `bytes(16)` stands for a `struct in6_addr`, and `u64` for a pointer.
 *
 * @throws BtfError `LAYOUT`, with the path of the first field that differs; as {@link schemaOf}
 * @example
 * ```ts
 * checkLayout(btf, btf.find('struct', 'event'), struct({ pid: u32, at: u64 }));
 * // BtfError: at: it is at byte 8 in the schema, and at 4 in BTF
 * ```
 */
export function checkLayout(btf: Btf, typeId: number, schema: AnySchema): void {
  compare(schemaOf(btf, typeId), schema, '');
}

function compare(type: AnySchema, schema: AnySchema, path: string): void {
  const [there, here] = [type.shape, schema.shape];
  if ((here.kind === 'struct' || here.kind === 'union') && (there.kind === 'struct' || there.kind === 'union')) {
    compareFields(there.fields, here.fields, path);
    if (there.kind === 'struct') noneMissing(there.fields, here.fields, path);
  } else if (here.kind === 'array' && there.kind === 'array') {
    if (here.length !== there.length)
      differ(path, `it has ${here.length} elements in the schema, and ${there.length} in BTF`);
    compare(there.element, here.element, `${path}[0]`);
  } else if (here.kind === 'struct' || here.kind === 'union' || here.kind === 'array')
    differ(path, `it is of the kind ${here.kind} in the schema, and ${there.kind} in BTF`);
  if (there.kind === 'bits') differ(path, 'it is a bitfield in BTF, which a schema has not');
  if (type.size !== schema.size) differ(path, `it has ${schema.size} bytes in the schema, and ${type.size} in BTF`);
}

function compareFields(there: readonly ShapeField[], here: readonly ShapeField[], path: string): void {
  const byName = new Map(there.map((field) => [field.name, field]));
  for (const { name, offset, schema } of here) {
    const inner = path === '' ? name : `${path}.${name}`;
    const field = byName.get(name) ?? differ(inner, 'the schema has it, BTF has not');
    if (field.offset !== offset) differ(inner, `it is at byte ${offset} in the schema, and at ${field.offset} in BTF`);
    compare(field.schema, schema, inner);
  }
}

function noneMissing(there: readonly ShapeField[], here: readonly ShapeField[], path: string): void {
  const names = new Set(here.map(({ name }) => name));
  const missing = there.find(({ name }) => !names.has(name));
  if (missing)
    differ(
      path === '' ? missing.name : `${path}.${missing.name}`,
      `BTF has it at byte ${missing.offset}, the schema has not`,
    );
}

function differ(path: string, message: string): never {
  throw new BtfError('LAYOUT', `${path || 'the whole'}: ${message}`);
}
