import type { AluBuilder, Insn, JumpBuilder, Register, Size, WritableRegister } from '../../src/index.ts';
import * as b from '../../src/index.ts';

const writable: WritableRegister[] = ['r0', 'r1', 'r2', 'r3', 'r4', 'r5', 'r6', 'r7', 'r8', 'r9'];
const readable: Register[] = [...writable, 'r10'];
const edges = [0, 1, -1, 255, 0x7fff, -0x8000, 0x7fff_ffff, -0x8000_0000];
const offsets = [0, 1, -1, 8, 0x7fff, -0x8000];
const sizes: Size[] = ['b', 'h', 'w', 'dw'];

const alu = ['mov', 'add', 'sub', 'mul', 'div', 'sdiv', 'mod', 'smod', 'or', 'and', 'xor', 'lsh', 'rsh', 'arsh'];
const jumps = ['jeq', 'jne', 'jgt', 'jge', 'jlt', 'jle', 'jsgt', 'jsge', 'jslt', 'jsle', 'jset'];
const builders = b as unknown as Record<string, unknown>;

/**
 * Instructions that LLVM has a syntax for: every builder, with each register and each edge of its immediate and its
 * offset, though not with all of their combinations.
 */
export function llvmCases(): Insn[] {
  let turn = 0;
  const w = (): WritableRegister => writable[turn++ % writable.length] ?? 'r0';
  const r = (): Register => readable[turn++ % readable.length] ?? 'r0';
  const off = (): number => offsets[turn++ % offsets.length] ?? 0;
  const made: Insn[] = [];

  for (const name of alu.flatMap((op) => [op, `${op}32`])) {
    const build = builders[name] as AluBuilder;
    for (const dst of writable) made.push(build(dst, r()));
    for (const imm of edges) made.push(build(w(), imm));
  }
  for (const name of jumps.flatMap((op) => [op, `${op}32`])) {
    const build = builders[name] as JumpBuilder;
    for (const dst of readable) made.push(build(dst, r(), off()));
    for (const imm of edges) made.push(build(r(), imm, off()));
  }
  for (const dst of writable) {
    made.push(b.neg(dst), b.neg32(dst), b.gotox(dst), b.addrSpaceCast(dst, r(), 0, 1), b.addrSpaceCast(dst, r(), 1, 0));
    for (const width of [16, 32, 64] as const) made.push(b.be(dst, width), b.le(dst, width), b.bswap(dst, width));
    for (const from of [8, 16] as const) made.push(b.movsx(dst, r(), from), b.movsx32(dst, r(), from));
    made.push(b.movsx(dst, r(), 32));
    made.push(b.ldInd('b', r(), 0), b.ldInd('h', r(), 0), b.ldInd('w', r(), 0));
    made.push(b.atomicCmpxchg('dw', r(), dst, off()), b.atomicCmpxchg('w', r(), dst, off()));
  }
  for (const to of offsets) made.push(b.ja(to), b.mayGoto(to), b.gotol(to));
  for (const helper of [0, 1, 211, 0x7fff_ffff]) made.push(b.call(helper));
  made.push(b.exit());
  for (const size of sizes) {
    for (const at of offsets)
      made.push(
        b.ldx(size, w(), r(), at),
        b.stx(size, r(), r(), at),
        b.loadAcquire(size, w(), r(), at),
        b.storeRelease(size, r(), r(), at),
        b.st(size, r(), at, 0),
      );
    for (const imm of [1, -1, 127, 255, -128, ...(size === 'b' ? [] : [0x7fff, 0xffff, -0x8000])])
      made.push(b.st(size, r(), off(), imm));
    if (size === 'dw') continue;
    for (const at of offsets) made.push(b.ldsx(size, w(), r(), at));
    for (const imm of [0, 1, 12, 0x7fff_ffff]) made.push(b.ldAbs(size, imm));
  }
  const locks = [b.atomicAdd, b.atomicOr, b.atomicAnd, b.atomicXor];
  const fetches = [b.atomicFetchAdd, b.atomicFetchOr, b.atomicFetchAnd, b.atomicFetchXor, b.atomicXchg];
  for (const size of ['w', 'dw'] as const)
    for (const at of offsets) {
      for (const build of locks) made.push(build(size, r(), r(), at));
      for (const build of fetches) made.push(build(size, r(), w(), at));
    }
  for (const imm of [...edges, 0xffff_ffff, 2 ** 32, 2n ** 63n, 2n ** 64n - 1n, 0x1234_5678_9abc_def0n])
    made.push(b.lddw(w(), imm));
  return made;
}

/** What LLVM has no syntax for. */
export function otherCases(): Insn[] {
  return [
    b.gotol(0x7fff_ffff),
    b.gotol(-0x8000_0000),
    b.callSubprog(5),
    b.callSubprog(-5),
    b.callSubprog('some function'),
    b.callSubprog('r1'),
    b.callKfunc(1234),
    b.callKfunc(1234, 2),
    b.ldInd('h', 'r6', 14),
    b.ldInd('w', 'r6', -14),
    b.ldInd('b', 'r6', -0x8000_0000),
    b.ldAbs('w', -0x1000),
    b.ldMapFd('r1', 5),
    b.ldMapFd('r1', 'counts'),
    b.ldMapFd('r1', 'counts of "all" [things]\n'),
    b.ldMapValue('r2', 5, 8),
    b.ldMapValue('r2', 'counts', -8),
    b.ldMapIdx('r3', 0),
    b.ldMapIdxValue('r4', 1, 16),
    b.ldBtfId('r5', 1234),
    b.ldBtfId('r5', 1234, 7),
    b.ldFunc('r6', 3),
    b.ldFunc('r6', -3),
    b.ldFunc('r6', 'callback'),
    b.addrSpaceCast('r1', 'r2', 0x7fff, 0xffff),
    b.jeq('r1', 0, 'some place'),
    b.jset32('r1', 'r2', 'pc'),
    b.ja('.L1'),
    b.ja('w10'),
    b.mayGoto('s'),
    b.label('exit'),
    b.label(''),
    b.label('7'),
    b.label('größe'),
    { kind: 'raw', opcode: 0xff, dst: 15, src: 11, off: -1, imm: -0x8000_0000 },
    { kind: 'raw', opcode: 0, dst: 0, src: 0, off: 0, imm: 0 },
    { kind: 'raw', opcode: 0x18, dst: 0, src: 0, off: 0, imm: 1 },
  ];
}
