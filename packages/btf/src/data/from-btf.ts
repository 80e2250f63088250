import { type Btf, storeOf } from '../btf.ts';
import { BtfError } from '../error.ts';
import type { BtfMember, BtfType, BtfTypeOf } from '../types.ts';
import { arrayOf, compound, type Loose, type Members } from './compound.ts';
import { bitfield, bitsOf, corrupt, enumSchema, intSchema, isChar } from './integers-from-btf.ts';
import { bigInt, float } from './scalar.ts';
import type { AnySchema } from './schema.ts';
import { charArray } from './text.ts';

/** How deep values may lie in values: a corrupt file may hold a circle. */
const MAX_DEPTH = 32;
/** Fields that the structs of one question may have together, and values that one value may consist of. */
const MAX_FIELDS = 1 << 18;
const MAX_VALUES = 1 << 22;
const MAX_BYTES = 2 ** 30;

/** A schema that was made, how deep it is, and how many values a value of it consists of. */
interface Made {
  readonly schema: Loose;
  readonly depth: number;
  readonly values: number;
}

interface Maker {
  readonly btf: Btf;
  readonly littleEndian: boolean;
  readonly made: Map<number, Made>;
  /** Fields that may still be made. */
  fields: number;
}

const known = new WeakMap<Btf, Map<number, Made>>();

/**
 * The schema of a type, in the byte order of the BTF: made once for each type of a `Btf`, and then as fast as one that
 * was written by hand.
 *
 * - An integer of up to 32 bits is a number, a larger one a bigint, `_Bool` a boolean, a pointer a bigint.
 * - An enum's value is its name, or a number when it has none; encoding takes either.
 * - An array of `char` is a string ({@link char}); any other is an array.
 * - The members of anonymous structs and unions are the struct's own, as in C. Bitfields are integers.
 * - A union decodes to all of its members, as views of the same bytes. Encoding takes exactly one of them.
 * - A data section is an object of its variables.
 *
 * @throws BtfError `NOT_FOUND`; `NO_SIZE` for functions and void; `INVALID_TYPE` for what no data can be read of, such as
 * `long double`; `CORRUPT` for circles, members that lie outside, and more than 4 million values in one
 * @example
 * ```ts
 * const schema = schemaOf(btf, btf.find('struct', 'sockaddr_in'));
 * for (const bytes of records) console.log(schema.decode(bytes)); // { sin_family: 2, sin_port: …, sin_addr: { s_addr: … } }
 * ```
 */
export function schemaOf(btf: Btf, typeId: number): AnySchema {
  return looseOf(btf, typeId);
}

/**
 * Decodes a value of a type, to plain data as {@link schemaOf} says.
 *
 * @throws BtfError as {@link schemaOf}, and `INVALID_VALUE` when the bytes end before the value does
 * @example
 * ```ts
 * decodeValue(btf, btf.find('struct', 'pair'), Uint8Array.of(1, 0, 0, 0, 2, 0, 0, 0)); // { a: 1, b: 2 }
 * ```
 */
export function decodeValue(btf: Btf, typeId: number, bytes: Uint8Array): unknown {
  return looseOf(btf, typeId).decode(bytes);
}

/**
 * Encodes a value of a type, from data as {@link schemaOf} says. Padding is zero.
 *
 * @throws BtfError as {@link schemaOf}, and `INVALID_VALUE`, with the path, for a field that is missing, unknown or does
 * not fit
 * @example
 * ```ts
 * encodeValue(btf, btf.find('struct', 'pair'), { a: 1, b: 2 }); // 8 bytes
 * encodeValue(btf, btf.find('struct', 'pair'), { a: 1, b: -2 }); // BtfError: b: -2 is not an integer in 0..4294967295
 * ```
 */
export function encodeValue(btf: Btf, typeId: number, value: unknown): Uint8Array {
  return looseOf(btf, typeId).encode(value);
}

function looseOf(btf: Btf, typeId: number): Loose {
  let made = known.get(btf);
  if (!made) {
    made = new Map();
    known.set(btf, made);
  }
  const { littleEndian } = storeOf(btf).raw;
  return make({ btf, littleEndian, made, fields: MAX_FIELDS }, typeId, 0).schema;
}

function make(maker: Maker, typeId: number, depth: number): Made {
  const id = maker.btf.resolve(typeId);
  const before = maker.made.get(id);
  if (before) return before;
  if (depth >= MAX_DEPTH) corrupt(id, 'is nested without end');
  const made = makeNew(maker, maker.btf.type(id), depth);
  if (made.depth > MAX_DEPTH) corrupt(id, `is nested more than ${MAX_DEPTH} deep`);
  if (made.values > MAX_VALUES) corrupt(id, `consists of more than ${MAX_VALUES} values`);
  if (made.schema.size > MAX_BYTES) corrupt(id, `is larger than ${MAX_BYTES} bytes`);
  maker.made.set(id, made);
  return made;
}

function makeNew(maker: Maker, type: BtfType, depth: number): Made {
  const { littleEndian } = maker;
  switch (type.kind) {
    case 'int':
      return leaf(intSchema(type, littleEndian));
    case 'ptr':
      return leaf(bigInt(false, littleEndian, { kind: 'ptr' }));
    case 'enum':
    case 'enum64':
      return leaf(enumSchema(type, littleEndian));
    case 'float':
      if (type.size === 4 || type.size === 8) return leaf(float(type.size, littleEndian));
      throw new BtfError(
        'INVALID_TYPE',
        `'${type.name}' is a float of ${type.size} bytes; those of 4 and 8 can be read`,
      );
    case 'var':
      return make(maker, type.typeId, depth + 1);
    case 'array': {
      const element = make(maker, type.typeId, depth + 1);
      if (isChar(maker.btf.type(maker.btf.resolve(type.typeId)))) return leaf(charArray(type.length));
      const values = Math.max(1, type.length * element.values);
      return { schema: arrayOf(element.schema, type.length) as Loose, depth: element.depth + 1, values };
    }
    case 'struct':
    case 'union':
    case 'datasec':
      return compoundSchema(maker, type, depth);
    default:
      throw new BtfError('NO_SIZE', `type ${type.id}, a ${type.kind}, has no size and no values`);
  }
}

function leaf(schema: unknown): Made {
  return { schema: schema as Loose, depth: 1, values: 1 };
}

function compoundSchema(maker: Maker, type: BtfTypeOf<'struct' | 'union' | 'datasec'>, depth: number): Made {
  const inner = { depth: 0, values: 0 };
  const members = membersOf(maker, type, 0, depth, inner);
  const align = type.kind === 'datasec' ? 1 : maker.btf.alignOf(type.id);
  const schema = compound(members, type.size, align);
  return { schema, depth: inner.depth + 1, values: Math.max(1, inner.values) };
}

/** The members of a struct that lies at bit `start` of the outermost one; anonymous ones with theirs. */
function membersOf(
  maker: Maker,
  type: BtfTypeOf<'struct' | 'union' | 'datasec'>,
  start: number,
  depth: number,
  inner: { depth: number; values: number },
): Members {
  const { btf } = maker;
  const parts: Members['parts'][number][] = [];
  if (depth >= MAX_DEPTH) corrupt(type.id, 'is nested without end');
  for (const { name, typeId, bitOffset, bitSize } of type.kind === 'datasec' ? variablesOf(btf, type) : type.members) {
    if (--maker.fields < 0) corrupt(type.id, `and what lies in it have more than ${MAX_FIELDS} fields`);
    const behind = btf.type(btf.resolve(typeId));
    const bit = start + bitOffset;
    if (name === '') {
      // A member without a name that is no struct is padding.
      if (behind.kind !== 'struct' && behind.kind !== 'union') continue;
      if (bitOffset % 8 !== 0 || bitOffset + behind.size * 8 > type.size * 8) outside(type, 'an anonymous member');
      parts.push(membersOf(maker, behind, bit, depth + 1, inner));
      continue;
    }
    const bits = bitsOf(behind, bitOffset, bitSize);
    const made = bits ? leaf(bitfield(type, name, behind, bits, maker.littleEndian)) : make(maker, typeId, depth + 1);
    const first = bits ? bits.offset : bitOffset;
    const end = bits ? bits.offset + bits.width : bitOffset + made.schema.size * 8;
    if ((!bits && bitOffset % 8 !== 0) || end > type.size * 8) outside(type, `'${name}'`);
    parts.push({ kind: 'field', name, offset: Math.floor((start + first) / 8), schema: made.schema as AnySchema });
    inner.depth = Math.max(inner.depth, made.depth);
    inner.values += made.values;
  }
  return { kind: type.kind === 'union' ? 'union' : 'struct', parts };
}

function variablesOf(btf: Btf, section: BtfTypeOf<'datasec'>): BtfMember[] {
  return section.vars.map(({ typeId, offset }) => ({
    name: btf.type(typeId).name,
    typeId,
    bitOffset: offset * 8,
    bitSize: 0,
  }));
}

function outside(type: BtfType, member: string): never {
  return corrupt(type.id, `has ${member} where its ${(type as { size: number }).size} bytes have no room for it`);
}
