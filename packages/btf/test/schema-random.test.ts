import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { encodeBtf } from '../src/build/index.ts';
import * as data from '../src/data/index.ts';
import {
  type AnySchema,
  array,
  char,
  checkLayout,
  decodeValue,
  encodeValue,
  type Schema,
  schemaToBtf,
  struct,
  union,
} from '../src/data/index.ts';
import { btfSection, parseBtf } from '../src/index.ts';

/** A schema, the same in C, and what its values are. */
interface Sample {
  readonly schema: AnySchema;
  readonly declare: (name: string) => string;
  readonly value: fc.Arbitrary<unknown>;
  /** The scalars of a value, as expressions of C. */
  readonly scalars: (expression: string, value: unknown) => [string, number | bigint][];
}

const scalar = (schema: AnySchema, c: string, value: fc.Arbitrary<number | bigint | boolean>): Sample => ({
  schema,
  declare: (name) => `${c} ${name}`,
  value,
  scalars: (expression, value) => [[expression, typeof value === 'boolean' ? Number(value) : (value as number)]],
});
const small = (bits: number, signed: boolean) =>
  fc.integer({ min: signed ? -(2 ** (bits - 1)) : 0, max: 2 ** (signed ? bits - 1 : bits) - 1 });

const leaf: fc.Arbitrary<Sample> = fc.oneof(
  fc.constantFrom(
    scalar(data.u8, 'unsigned char', small(8, false)),
    scalar(data.u16, 'unsigned short', small(16, false)),
    scalar(data.u32, 'unsigned int', small(32, false)),
    scalar(data.u64, 'unsigned long long', fc.bigInt(0n, 2n ** 64n - 1n)),
    scalar(data.s8, 'signed char', small(8, true)),
    scalar(data.s16, 'short', small(16, true)),
    scalar(data.s32, 'int', small(32, true)),
    scalar(data.s64, 'long long', fc.bigInt(-(2n ** 63n), 2n ** 63n - 1n)),
    scalar(data.bool, '_Bool', fc.boolean()),
    scalar(data.f32, 'float', small(20, true)),
    scalar(data.f64, 'double', small(32, true)),
  ),
  fc.integer({ min: 1, max: 9 }).map(
    (length): Sample => ({
      schema: char(length),
      declare: (name) => `char ${name}[${length}]`,
      value: fc.string({ unit: 'binary', maxLength: length }).filter((text) => {
        return Buffer.byteLength(text) <= length && !text.includes('\0');
      }),
      scalars: (expression, value) =>
        [...Buffer.from(value as string)].map((byte, i) => [`(unsigned char)${expression}[${i}]`, byte]),
    }),
  ),
  fc.integer({ min: 1, max: 9 }).map(
    (length): Sample => ({
      schema: data.bytes(length),
      declare: (name) => `unsigned char ${name}[${length}]`,
      value: fc.uint8Array({ minLength: length, maxLength: length }),
      scalars: (expression, value) => [...(value as Uint8Array)].map((byte, i) => [`${expression}[${i}]`, byte]),
    }),
  ),
);

const { compound } = fc.letrec<{ any: Sample; array: Sample; compound: Sample }>((tie) => ({
  any: fc.oneof({ maxDepth: 3, depthIdentifier: 'schema' }, leaf, leaf, tie('array'), tie('compound')),
  array: fc.tuple(tie('any'), fc.integer({ min: 1, max: 3 })).map(([element, length]) => ({
    schema: array(element.schema, length),
    declare: (name) => element.declare(`${name}[${length}]`),
    value: fc.array(element.value, { minLength: length, maxLength: length }),
    scalars: (expression, values) =>
      (values as unknown[]).flatMap((value, i) => element.scalars(`${expression}[${i}]`, value)),
  })),
  compound: fc
    .tuple(fc.constantFrom('struct', 'packed', 'union'), fc.array(tie('any'), { minLength: 1, maxLength: 5 }))
    .map(([kind, members]): Sample => {
      const fields = members.map((member, i) => [`f${i}`, member] as const);
      const schemas = Object.fromEntries(fields.map(([name, { schema }]) => [name, schema]));
      const body = fields.map(([name, { declare }]) => `${declare(name)};`).join(' ');
      const values = Object.fromEntries(fields.map(([name, { value }]) => [name, value]));
      return {
        schema: kind === 'union' ? union(schemas) : struct(schemas, { packed: kind === 'packed' }),
        declare: (name) =>
          `${kind === 'union' ? 'union' : 'struct'} ${kind === 'packed' ? '__attribute__((packed)) ' : ''}{ ${body} } ${name}`,
        value:
          kind === 'union'
            ? fc.oneof(...fields.map(([name, { value }]) => fc.record({ [name]: value })))
            : fc.record(values),
        scalars: (expression, value) =>
          fields.flatMap(([name, { scalars }]) =>
            Object.hasOwn(value as object, name)
              ? scalars(`${expression}.${name}`, (value as Record<string, unknown>)[name])
              : [],
          ),
      };
    }),
}));

const loose = ({ schema }: Sample): Schema<unknown, unknown> => schema as Schema<unknown, unknown>;
const withValue = compound.chain((sample) => sample.value.map((value) => ({ sample, value })));

/** What is decoded holds what was encoded, and of unions more. */
const hasAll = (decoded: unknown, value: unknown): void => {
  if (typeof value === 'object' && !(value instanceof Uint8Array))
    for (const [name, inner] of Object.entries(value as object))
      hasAll((decoded as Record<string, unknown>)[name], inner);
  else expect(decoded).toStrictEqual(Object.is(value, -0) ? 0 : value);
};
/** What BTF's arrays of bytes take. */
const asArrays = (value: unknown): unknown => {
  if (value instanceof Uint8Array) return [...value];
  if (Array.isArray(value)) return value.map(asArrays);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, asArrays(inner)]));
};

test('decode(encode(value)) is the value', () => {
  fc.assert(
    fc.property(withValue, fc.nat(9), ({ sample, value }, offset) => {
      const schema = loose(sample);
      const bytes = new Uint8Array(offset + schema.size).fill(0xff);
      schema.encodeInto(value, bytes, offset);
      expect(bytes.subarray(offset)).toEqual(schema.encode(value));
      hasAll(schema.decode(bytes, offset), value);
    }),
    { numRuns: 150 },
  );
});

test('a schema and the BTF made of it agree', () => {
  fc.assert(
    fc.property(withValue, ({ sample, value }) => {
      const schema = loose(sample);
      const { types, typeId } = schemaToBtf(schema, 'it');
      const btf = parseBtf(encodeBtf(types));
      checkLayout(btf, typeId, schema);
      const bytes = schema.encode(value);
      expect(encodeValue(btf, typeId, asArrays(value))).toEqual(bytes);
      expect(decodeValue(btf, typeId, bytes)).toEqual(asArrays(schema.decode(bytes)));
    }),
    { numRuns: 100 },
  );
});

const compiler = spawnSync('gcc', ['-gbtf', '--version']).status === 0;
if (!compiler) console.log('against C: skipped, there is no gcc that knows -gbtf');

describe.skipIf(!compiler)('against C', () => {
  /** Compiles and runs a program, and gives what it prints and its BTF. */
  const runC = (source: string) => {
    const folder = mkdtempSync(join(tmpdir(), 'btf-schema-'));
    try {
      writeFileSync(join(folder, 'a.c'), source);
      execFileSync('gcc', ['-w', '-gbtf', '-c', 'a.c', '-o', 'a.o'], { cwd: folder });
      execFileSync('gcc', ['a.o', '-o', 'a'], { cwd: folder });
      const lines = execFileSync(join(folder, 'a'), { encoding: 'utf8', maxBuffer: 1 << 26 })
        .trim()
        .split('\n');
      return { lines, btf: parseBtf(btfSection(readFileSync(join(folder, 'a.o')))) };
    } finally {
      rmSync(folder, { recursive: true });
    }
  };

  test('layouts and values are those of the compiler', () => {
    const samples = fc.sample(withValue, 60);
    const wanted: string[] = [];
    const print = (expression: string, value: number | bigint): string => {
      wanted.push(`${value}`);
      return `printf(${typeof value === 'bigint' && value > 2n ** 63n - 1n ? '"%llu\\n", (unsigned long long)' : '"%lld\\n", (long long)'}(${expression}));`;
    };
    const blocks = samples.map(({ sample, value }, i) => {
      const schema = loose(sample);
      const { shape } = schema;
      const fields = shape.kind === 'struct' || shape.kind === 'union' ? shape.fields : [];
      const checks = [
        print(`sizeof v${i}`, schema.size),
        print(`_Alignof(__typeof__(v${i}))`, schema.align),
        ...fields.map(({ name, offset }) => print(`offsetof(__typeof__(v${i}), ${name})`, offset)),
      ];
      const bytes = [...schema.encode(value)].map((byte) => `\\x${byte.toString(16).padStart(2, '0')}`).join('');
      const scalars = sample.scalars(`v${i}`, value).map(([expression, scalar]) => print(expression, scalar));
      return `${checks.join('\n')}\nmemcpy(&v${i}, "${bytes}", sizeof v${i});\n${scalars.join('\n')}`;
    });
    const variables = samples.map(({ sample }, i) => `${sample.declare(`v${i}`)};`);
    const { lines, btf } = runC(
      `#include <stdio.h>\n#include <stddef.h>\n#include <string.h>\n${variables.join('\n')}\nint main() {\n${blocks.join('\n')}\n}\n`,
    );
    expect(lines).toEqual(wanted);
    for (const [i, { sample, value }] of samples.entries()) {
      // gcc before 15 writes the dimensions of an array of arrays the wrong way round (PR debug/114186).
      if (sample.declare('').includes('][')) continue;
      const id = btf.find('var', `v${i}`) as number;
      checkLayout(btf, id, sample.schema);
      expect(encodeValue(btf, id, asArrays(value))).toEqual(loose(sample).encode(value));
    }
  });

  test('bitfields, anonymous members and enums are those of the compiler', () => {
    const { lines, btf } = runC(`
      #include <stdio.h>
      enum color { RED, GREEN = 5 };
      struct s {
        unsigned a : 3; int b : 7; _Bool c : 1; enum color d : 4; unsigned long long e : 40; int : 0; int f : 31;
        union { int g; struct { short h; signed char i; }; };
        enum color j; char k[8]; void *l; double m; long double *n;
      } s = { .a = 5, .b = -3, .c = 1, .d = GREEN, .e = 0xabcdef0123, .f = -1000, .h = -2, .i = 3, .j = 9,
              .k = "h\\xc3\\xa9", .l = (void *)0xffff888000001000, .m = -1.5, .n = 0 };
      int main() { for (unsigned i = 0; i < sizeof s; i++) printf("%02x", ((unsigned char *)&s)[i]); }`);
    const bytes = Uint8Array.from(Buffer.from(lines[0] ?? '', 'hex'));
    const id = btf.find('struct', 's') as number;
    const { g, ...rest } = decodeValue(btf, id, bytes) as Record<string, unknown>;
    expect(rest).toEqual({
      a: 5,
      b: -3,
      c: true,
      d: 'GREEN',
      e: 0xab_cdef_0123n,
      f: -1000,
      h: -2,
      i: 3,
      j: 9,
      k: 'hé',
      l: 0xffff_8880_0000_1000n,
      m: -1.5,
      n: 0n,
    });
    expect((g as number) & 0xff_ffff).toBe(0x03_fffe);
    expect(encodeValue(btf, id, rest)).toEqual(bytes);
  });
});
