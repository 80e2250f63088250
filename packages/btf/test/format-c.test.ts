import { describe, expect, test } from 'vitest';
import { formatC, formatDeclaration, formatPrototype, formatType } from '../src/format/index.ts';
import { type Btf, BtfError, parseBtf } from '../src/index.ts';
import { buildBtf, type Record } from './build.ts';
import {
  ARRAY,
  CONST,
  DATASEC,
  ENUM,
  ENUM64,
  everyKind,
  FLOAT,
  FUNC,
  FUNC_PROTO,
  FWD,
  INT,
  PTR,
  RESTRICT,
  STRUCT,
  TYPE_TAG,
  TYPEDEF,
  UNION,
  VOLATILE,
} from './format/records.ts';

/** What is between the lines that every header has. */
function definitions(btf: Btf, roots?: (string | number)[]): string {
  const text = formatC(btf, roots ? { roots } : {});
  const [, inner = ''] = /apply_to = record\)\n#endif\n\n(.*)#ifndef BPF_NO_PRESERVE/s.exec(text) ?? [];
  return inner.trimEnd();
}

const int: Record = { name: 'int', kind: INT, sizeOrType: 4, extra: [0x0100_0020] };
const char: Record = { name: 'char', kind: INT, sizeOrType: 1, extra: [8] };
const long: Record = { name: 'long int', kind: INT, sizeOrType: 8, extra: [0x0100_0040] };
const open = (records: Record[]): Btf => parseBtf(buildBtf(records));
const error = (run: () => unknown): unknown => {
  try {
    return run();
  } catch (error) {
    expect(error).toBeInstanceOf(BtfError);
    return (error as BtfError).message;
  }
};

test('the whole header', () => {
  expect(formatC(open([int]))).toMatchInlineSnapshot(`
    "#ifndef __VMLINUX_H__
    #define __VMLINUX_H__

    #ifndef BPF_NO_PRESERVE_ACCESS_INDEX
    #pragma clang attribute push (__attribute__((preserve_access_index)), apply_to = record)
    #endif

    #ifndef BPF_NO_PRESERVE_ACCESS_INDEX
    #pragma clang attribute pop
    #endif

    #endif /* __VMLINUX_H__ */
    "
  `);
});

test('every kind', () => {
  expect(definitions(open(everyKind))).toMatchInlineSnapshot(`
    "struct node {
    	struct node *next;
    	int flag: 1;
    	int rest: 31;
    };

    enum mode {
    	ON = 1,
    	OFF = -1,
    };

    struct opaque;

    typedef union {
    	int all[16];
    	struct {
    		struct node *next;
    		int flag: 1;
    		int rest: 31;
    	};
    } any;

    enum big {
    	HUGE = 18446744069414584325ULL,
    	SMALL = 7ULL,
    } __attribute__((mode(DI)));"
  `);
});

test('definitions come before uses, and pointers need declarations only', () => {
  const btf = open([
    int,
    /* 2 */ { name: 'outer', kind: STRUCT, vlen: 2, sizeOrType: 16, extra: ['in', 4, 0, 'call', 7, 64] },
    /* 3 */ { name: 'inner', kind: STRUCT, vlen: 1, sizeOrType: 8, extra: ['owner', 5, 0] },
    /* 4 */ { name: 'inner_t', kind: TYPEDEF, sizeOrType: 3 },
    /* 5 */ { kind: PTR, sizeOrType: 2 },
    /* 6 */ { kind: FUNC_PROTO, vlen: 2, sizeOrType: 8, extra: ['', 5, 'mode', 9] },
    /* 7 */ { kind: PTR, sizeOrType: 6 },
    /* 8 */ { name: 'later_t', kind: TYPEDEF, sizeOrType: 5 },
    /* 9 */ { name: 'mode', kind: ENUM, vlen: 1, sizeOrType: 4, extra: ['ON', 1] },
    /* 10 */ { name: 'alone', kind: STRUCT, sizeOrType: 0 },
  ]);
  expect(definitions(btf)).toMatchInlineSnapshot(`
    "struct inner;

    typedef struct inner inner_t;

    struct outer;

    struct inner {
    	struct outer *owner;
    };

    enum mode {
    	ON = 1,
    };

    typedef struct outer *later_t;

    struct outer {
    	inner_t in;
    	later_t (*call)(struct outer *, enum mode mode);
    };

    struct alone {
    };"
  `);
  expect(definitions(btf, ['struct inner'])).toMatchInlineSnapshot(`
    "struct outer;

    struct inner {
    	struct outer *owner;
    };"
  `);
  expect(definitions(btf, [10])).toBe('struct alone {\n};');
});

test('padding, packed structs and bitfields are where C would lay out otherwise', () => {
  const btf = open([
    int,
    char,
    long,
    /* 4 */ { name: 'hole', kind: STRUCT, vlen: 2, sizeOrType: 64, extra: ['a', 2, 0, 'b', 1, 128] },
    /* 5 */ { name: 'natural', kind: STRUCT, vlen: 2, sizeOrType: 16, extra: ['a', 2, 0, 'b', 3, 64] },
    /* 6 */ { name: 'packed', kind: STRUCT, vlen: 2, sizeOrType: 9, extra: ['a', 2, 0, 'b', 3, 8] },
    /* 7 */ {
      name: 'bits',
      kind: STRUCT,
      vlen: 3,
      kindFlag: true,
      sizeOrType: 8,
      extra: ['a', 1, 3 << 24, 'b', 1, (4 << 24) | 8, 'c', 1, (31 << 24) | 32],
    },
    /* 8 */ { name: 'page', kind: STRUCT, vlen: 2, sizeOrType: 8192, extra: ['a', 1, 0, 'b', 1, 32768] },
    /* 9 */ { name: 'wide', kind: UNION, vlen: 1, sizeOrType: 32, extra: ['a', 1, 0] },
    /* 10 */ { name: 'overlap', kind: STRUCT, vlen: 2, sizeOrType: 8, extra: ['a', 1, 0, 'b', 1, 16] },
    /* 11 */ { name: 'empty', kind: STRUCT, sizeOrType: 24 },
  ]);
  expect(definitions(btf)).toMatchInlineSnapshot(`
    "struct hole {
    	char a;
    	long: 56;
    	long: 64;
    	int b;
    	long: 32;
    	long: 64;
    	long: 64;
    	long: 64;
    	long: 64;
    	long: 64;
    };

    struct natural {
    	char a;
    	long int b;
    };

    struct packed {
    	char a;
    	long int b;
    } __attribute__((packed));

    struct bits {
    	int a: 3;
    	long: 5;
    	int b: 4;
    	int c: 31;
    };

    struct page {
    	int a;
    	long: 32;
    	char ___padding_8[4088];
    	int b;
    	long: 32;
    	char ___padding_4104[4088];
    };

    union wide {
    	int a;
    	char ___bytes[32];
    };

    struct overlap {
    	/* C has no such layout. */
    	char ___bytes[8];
    };

    struct empty {
    	char ___bytes[24];
    };"
  `);
});

test('names that are taken get a suffix, as bpftool gives it', () => {
  const ring = (member: string): Record => ({
    name: 'ring',
    kind: STRUCT,
    vlen: 1,
    sizeOrType: 4,
    extra: [member, 1, 0],
  });
  const btf = open([
    int,
    ring('first'),
    ring('second'),
    { name: 'ring', kind: UNION, vlen: 1, sizeOrType: 4, extra: ['third', 1, 0] },
    { name: 'ring', kind: TYPEDEF, sizeOrType: 3 },
    { kind: ENUM, vlen: 1, sizeOrType: 4, extra: ['ring', 1] },
    { name: 'ring', kind: FWD },
    { name: 'forward', kind: TYPEDEF, sizeOrType: 7 },
  ]);
  expect(definitions(btf)).toMatchInlineSnapshot(`
    "struct ring {
    	int first;
    };

    struct ring___2 {
    	int second;
    };

    union ring___3 {
    	int third;
    };

    typedef struct ring___2 ring;

    struct ring;

    typedef struct ring forward;

    enum {
    	ring___2 = 1,
    };"
  `);
});

test('names and numbers of other languages', () => {
  const btf = open([
    { name: 'u32', kind: INT, sizeOrType: 4, extra: [32] },
    { name: 'core::Option<u32>', kind: STRUCT, vlen: 1, sizeOrType: 4, extra: ['0', 1, 0] },
    { name: 'long double', kind: FLOAT, sizeOrType: 16 },
    { name: 'f', kind: TYPEDEF, sizeOrType: 3 },
    { name: 'x;\n#include </etc/passwd>', kind: TYPEDEF, sizeOrType: 1 },
  ]);
  expect(definitions(btf)).toMatchInlineSnapshot(`
    "typedef unsigned int u32;

    struct core__Option_u32_ {
    	u32 _0;
    };

    typedef struct { char bytes[16]; } __attribute__((aligned(16))) long_double;

    typedef long_double f;

    typedef u32 x___include___etc_passwd_;"
  `);
});

test('a named struct for an anonymous member (-fms-extensions) is written in place', () => {
  const btf = open([
    int,
    { name: 'in', kind: STRUCT, vlen: 1, sizeOrType: 4, extra: ['a', 1, 0] },
    { name: 'out', kind: STRUCT, vlen: 2, sizeOrType: 8, extra: ['', 2, 0, 'b', 1, 32] },
  ]);
  expect(definitions(btf, ['out'])).toContain('struct out {\n\tstruct {\n\t\tint a;\n\t};\n\tint b;\n};');
});

test('enums: sizes, signs, large values, those only declared', () => {
  const btf = open([
    { name: 'byte', kind: ENUM, vlen: 1, sizeOrType: 1, extra: ['B', 255] },
    { name: 'big', kind: ENUM64, vlen: 1, sizeOrType: 8, extra: ['HUGE', 5, 0xffff_ffff] },
    { name: 'low', kind: ENUM64, kindFlag: true, vlen: 1, sizeOrType: 8, extra: ['LOWEST', 0, 0x8000_0000] },
    { name: 'later', kind: ENUM, sizeOrType: 4 },
    { kind: ENUM, kindFlag: true, vlen: 1, sizeOrType: 4, extra: ['MINUS', 0xffff_ffff] },
  ]);
  expect(definitions(btf)).toMatchInlineSnapshot(`
    "enum byte {
    	B = 255,
    } __attribute__((mode(QI)));

    enum big {
    	HUGE = 18446744069414584325ULL,
    } __attribute__((mode(DI)));

    enum low {
    	LOWEST = -9223372036854775807LL - 1,
    } __attribute__((mode(DI)));

    enum later;

    enum {
    	MINUS = -1,
    };"
  `);
});

test('declarations, from the name outwards', () => {
  const btf = open([
    int,
    /* 2 */ { kind: CONST, sizeOrType: 1 },
    /* 3 */ { kind: PTR, sizeOrType: 2 },
    /* 4 */ { kind: CONST, sizeOrType: 3 },
    /* 5 */ { kind: ARRAY, extra: [4, 1, 3] },
    /* 6 */ { kind: PTR, sizeOrType: 5 },
    /* 7 */ { kind: FUNC_PROTO, vlen: 2, sizeOrType: 6, extra: ['x', 1, '', 0] },
    /* 8 */ { kind: PTR, sizeOrType: 7 },
    /* 9 */ { kind: ARRAY, extra: [8, 1, 2] },
    /* 10 */ { kind: FUNC_PROTO, sizeOrType: 0 },
    /* 11 */ { name: 'stop', kind: FUNC, sizeOrType: 10 },
    /* 12 */ { name: 'go', kind: FUNC, sizeOrType: 7 },
    /* 13 */ { kind: ARRAY, extra: [5, 1, 4] },
    /* 14 */ { name: 'user', kind: TYPE_TAG, sizeOrType: 2 },
    /* 15 */ { kind: PTR, sizeOrType: 14 },
    /* 16 */ { kind: RESTRICT, sizeOrType: 15 },
    /* 17 */ { kind: VOLATILE, sizeOrType: 2 },
    /* 18 */ { kind: FUNC_PROTO, vlen: 1, sizeOrType: 0, extra: ['', 0] },
  ]);
  const declared = [1, 3, 4, 5, 6, 8, 9, 13, 15, 16, 17].map((id) => formatDeclaration(btf, id, 'v'));
  expect(declared).toMatchInlineSnapshot(`
    [
      "int v",
      "const int *v",
      "const int * const v",
      "const int * const v[3]",
      "const int * const (*v)[3]",
      "const int * const (*(*v)(int x, ...))[3]",
      "const int * const (*(*v[2])(int x, ...))[3]",
      "const int * const v[4][3]",
      "const int __attribute__((btf_type_tag("user"))) *v",
      "const int __attribute__((btf_type_tag("user"))) * restrict v",
      "const volatile int v",
    ]
  `);
  expect(formatDeclaration(btf, 6, '')).toBe('const int * const (*)[3]');
  expect(formatPrototype(btf, 11)).toBe('void stop(void)');
  expect(formatPrototype(btf, 12)).toBe('const int * const (*go(int x, ...))[3]');
  expect(formatPrototype(btf, 18)).toBe('void ()');
  expect(error(() => formatPrototype(btf, 1))).toBe("type 1 'int' is a int, not a function");
});

describe('one type', () => {
  const btf = open([
    ...everyKind,
    /* 20 */ {
      name: 'holes',
      kind: STRUCT,
      vlen: 3,
      kindFlag: true,
      sizeOrType: 24,
      extra: ['a', 1, 3 << 24, 'b', 1, 64, '', 5, 96],
    },
    /* 21 */ { kind: STRUCT, vlen: 1, sizeOrType: 4, extra: ['counter', 1, 0] },
    /* 22 */ { name: 'atomic_t', kind: TYPEDEF, sizeOrType: 21 },
    /* 23 */ { name: 'handler', kind: TYPEDEF, sizeOrType: 24 },
    /* 24 */ { kind: PTR, sizeOrType: 12 },
  ]);

  test('with offsets and sizes', () => {
    const shown = [20, 5, 6, 7, 13, 14, 1, 22, 23, 19].map((id) => formatType(btf, id));
    expect(shown.join('\n')).toMatchInlineSnapshot(`
      "struct holes {
      	int a: 3;                                       /*     0: 0  4 */
      	/* 61 bits hole */
      	int b;                                          /*     8     4 */
      	union {
      		int all[16];                            /*    12    64 */
      		struct {
      			struct node *next;              /*    12     8 */
      			int flag: 1;                    /*    20: 0  4 */
      			int rest: 31;                   /*    20: 1  4 */
      			/* 4 bytes padding */
      		};                                      /*    12    16 */
      	};                                              /*    12    64 */
      	/* size: 24, cachelines: 1, members: 3 */
      };
      union {
      	int all[16];                                    /*     0    64 */
      	struct {
      		struct node *next;                      /*     0     8 */
      		int flag: 1;                            /*     8: 0  4 */
      		int rest: 31;                           /*     8: 1  4 */
      		/* 4 bytes padding */
      	};                                              /*     0    16 */
      	/* size: 64, cachelines: 1, members: 2 */
      };
      enum mode {
      	ON = 1,
      	OFF = -1,
      	/* size: 4 */
      };
      struct opaque;
      int print(struct node *self, ...);
      volatile int counter; /* size: 4 */
      int; /* size: 4 */
      typedef struct {
      	int counter;                                    /*     0     4 */
      	/* size: 4, cachelines: 1, members: 1 */
      } atomic_t;
      typedef int (*handler)(struct node *self, ...); /* size: 8 */
      enum big {
      	HUGE = 18446744069414584325ULL,
      	SMALL = 7ULL,
      	/* size: 8 */
      } __attribute__((mode(DI)));"
    `);
  });

  test('sections and tags are none', () => {
    expect(error(() => formatType(btf, 15))).toBe('type 15 is a datasec, and nothing can be of it');
    expect(error(() => formatType(btf, 17))).toBe('type 17 is a decl_tag, and nothing can be of it');
    expect(error(() => formatType(btf, 99))).toBe('there is no type with id 99');
  });
});

describe('hostile types are an error, soon', () => {
  test('a struct in itself', () => {
    const btf = open([{ name: 's', kind: STRUCT, vlen: 1, sizeOrType: 4, extra: ['s', 1, 0] }]);
    expect(error(() => formatC(btf))).toMatch(/^BTF is corrupt at byte 24: type 1 's' needs itself/);
    expect(error(() => formatType(btf, 1))).toMatch(/^BTF is corrupt at byte 24: type 1 contains itself/);
  });

  test.each([
    ['a pointer to itself', [{ kind: PTR, sizeOrType: 1 }]],
    [
      'an anonymous struct that points to itself',
      [
        { kind: STRUCT, vlen: 1, sizeOrType: 8, extra: ['s', 2, 0] },
        { kind: PTR, sizeOrType: 1 },
      ],
    ],
    ['a function that takes itself', [{ kind: FUNC_PROTO, vlen: 2, sizeOrType: 1, extra: ['a', 1, 'b', 1] }]],
    ['an array of itself', [{ kind: ARRAY, extra: [1, 1, 2] }]],
    ['a typedef of itself', [{ name: 't', kind: TYPEDEF, sizeOrType: 1 }]],
  ] as [string, Record[]][])('%s', (_, records) => {
    const last = records.length + 1;
    const btf = open([...records, { name: 'root', kind: TYPEDEF, sizeOrType: 1 }]);
    expect(error(() => formatC(btf))).toMatch(/^BTF is corrupt at byte \d+: /);
    if (records[0]?.kind !== TYPEDEF)
      expect(error(() => formatType(btf, last))).toMatch(/^BTF is corrupt at byte \d+: /);
  });

  test('anonymous structs that double at each step', () => {
    const doubling = Array.from(
      { length: 60 },
      (_, i): Record => ({
        kind: UNION,
        vlen: 2,
        sizeOrType: 4,
        extra: ['a', i + 2, 0, 'b', i + 2, 0],
      }),
    );
    const btf = open([...doubling, int, { name: 'root', kind: TYPEDEF, sizeOrType: 1 }]);
    expect(error(() => formatC(btf))).toMatch(/nested in one another too often/);
    expect(error(() => formatType(btf, 62))).toMatch(/nested in one another too often/);
  });

  test('a chain of a hundred thousand typedefs', () => {
    const chain = Array.from({ length: 100_000 }, (_, i): Record => ({ name: 't', kind: TYPEDEF, sizeOrType: i + 2 }));
    expect(error(() => formatC(open([...chain, int])))).toMatch(/^BTF is corrupt at byte \d+: /);
  });

  test('what no member can be of', () => {
    const btf = open([
      { name: 's', kind: STRUCT, vlen: 1, sizeOrType: 4, extra: ['d', 2, 0] },
      { name: 'd', kind: DATASEC },
    ]);
    expect(definitions(btf)).toBe('struct s {\n\t/* C has no such layout. */\n\tchar ___bytes[4];\n};');
    expect(error(() => formatC(btf, { roots: ['none'] }))).toBe("there is no type 'none' in this BTF");
  });
});
