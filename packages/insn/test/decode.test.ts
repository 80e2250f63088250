import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { assemble, decode, type Insn } from '../src/index.ts';

const opcode = fc.nat(0xff);
/** Slots that are more often near an instruction than random bytes are. */
const slot = fc
  .record({
    opcode,
    registers: fc.nat(0xff),
    off: fc.oneof(fc.constantFrom(0, 1, 8, 16, 32), fc.integer({ min: -0x8000, max: 0x7fff })),
    imm: fc.oneof(fc.constantFrom(0, 1, 16, 32, 64, 0x40, 0xe1, 0xf1, 0x100, 0x110), fc.integer()),
  })
  .map(({ opcode, registers, off, imm }) => {
    const view = new DataView(new ArrayBuffer(8));
    view.setUint8(0, opcode);
    view.setUint8(1, registers);
    view.setInt16(2, off, true);
    view.setInt32(4, imm, true);
    return [...new Uint8Array(view.buffer)];
  });

describe.each(['little', 'big'] as const)('%s-endian', (endian) => {
  test('whatever is decoded is assembled to the same bytes', () => {
    fc.assert(
      fc.property(fc.array(slot, { maxLength: 8 }), (slots) => {
        const bytes = Uint8Array.from(slots.flat());
        const insns = decode(bytes, { endian });
        expect(assemble(insns, { endian })).toEqual(bytes);
        // Each one by itself, too: nothing depends on its neighbours but the halves of a wide load.
        expect(decode(assemble(insns, { endian }), { endian })).toEqual(insns);
      }),
      { numRuns: 5000 },
    );
  });
});

test('every opcode with all fields zero, and with all fields set', () => {
  for (let opcode = 0; opcode < 256; opcode++)
    for (const rest of [
      [0, 0, 0, 0, 0, 0, 0],
      [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff],
      [0x21, 1, 0, 0, 0, 0, 0],
      [0x01, 1, 0, 16, 0, 0, 0],
    ]) {
      const bytes = Uint8Array.from([opcode, ...rest]);
      expect(assemble(decode(bytes))).toEqual(bytes);
    }
});

test('what is no instruction becomes raw, field by field', () => {
  expect(decode(Uint8Array.of(0xff, 0xab, 0xfe, 0xff, 1, 0, 0, 0x80))).toEqual([
    { kind: 'raw', opcode: 0xff, dst: 11, src: 10, off: -2, imm: -0x7fff_ffff },
  ]);
  // mov with an operand in both places
  expect(decode(Uint8Array.of(0xbf, 0x10, 0, 0, 1, 0, 0, 0))).toMatchObject([{ kind: 'raw' }]);
  // the first half of a wide load without its second
  expect(decode(Uint8Array.of(0x18, 0, 0, 0, 1, 0, 0, 0))).toMatchObject([{ kind: 'raw', opcode: 0x18 }]);
});

test('bytes that are not whole slots are refused', () => {
  expect(() => decode(new Uint8Array(12))).toThrow('decode: 12 is not a multiple of 8 bytes');
  expect(decode(new Uint8Array(0))).toEqual([]);
});

test('decoding does not change what builders made', () => {
  const made: Insn[] = decode(Uint8Array.of(0xb4, 0, 0, 0, 0xff, 0xff, 0xff, 0xff));
  expect(made).toEqual([{ kind: 'alu', op: 'mov', bits: 32, dst: 'r0', src: -1 }]);
});
