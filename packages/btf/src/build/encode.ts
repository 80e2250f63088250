import { type Btf, storeOf } from '../btf.ts';
import { BtfError } from '../error.ts';
import { kinds } from '../raw.ts';
import type { BtfLinkage, BtfMember } from '../types.ts';
import type { BtfTypeData } from './type-data.ts';
import { createStrings, createWriter, type Strings, type Writer } from './writer.ts';

const MAGIC = 0xeb9f;
const HEADER_BYTES = 24;
const MAX_VLEN = 0xffff;
const linkages: readonly BtfLinkage[] = ['static', 'global', 'extern'];
const encodings = { unsigned: 0, signed: 1, char: 2, bool: 4 } as const;

/** What writing one type needs. */
interface Target {
  readonly out: Writer;
  readonly strings: Strings;
  /** Ids go up to this one. */
  readonly lastId: number;
  /** What is written, for errors: `type 3 'task'`. */
  what: string;
}

/**
 * Writes BTF. A type's id is its place in the list, counted from 1, or from where `base` ends: `types.push(…)` returns
 * it. A string is written once, in the order of first use, so that the same types give the same bytes, and what libbpf
 * or pahole deduplicated comes out as it was.
 *
 * Checked is what the format can hold; whether a kernel takes it (names of structs, sizes that fit, no circles) is for
 * BPF_BTF_LOAD to say.
 *
 * @param options.littleEndian the byte order: little-endian, or that of the base, unless told
 * @param options.base what this one goes on from, such as the kernel's: for split BTF
 * @throws BtfError `INVALID_TYPE` for an id, a size, a name or a count that the format cannot hold
 * @example
 * ```ts
 * const types: BtfTypeData[] = [];
 * const u32 = types.push({ kind: 'int', name: 'u32', size: 4, bits: 32, bitOffset: 0, encoding: 'unsigned' });
 * types.push({ kind: 'struct', name: 'key', size: 4, members: [{ name: 'pid', typeId: u32, bitOffset: 0, bitSize: 0 }] });
 * const fd = btfLoad(encodeBtf(types));
 *
 * const btf = parseBtf(bytes);
 * encodeBtf(Array.from({ length: btf.count }, (_, i) => btf.type(i + 1))); // what was read
 * ```
 */
export function encodeBtf(
  types: readonly BtfTypeData[],
  options: { readonly littleEndian?: boolean; readonly base?: Btf } = {},
): Uint8Array {
  const base = options.base && storeOf(options.base).raw;
  const littleEndian = options.littleEndian ?? base?.littleEndian ?? true;
  if (base && base.littleEndian !== littleEndian)
    throw new BtfError('INVALID_TYPE', 'the byte order asked for is not that of the base');
  const firstId = (options.base?.count ?? 0) + 1;
  const out = createWriter(littleEndian);
  const strings = createStrings(base);
  const target: Target = { out, strings, lastId: firstId - 1 + types.length, what: '' };
  for (const [i, type] of types.entries()) {
    target.what = `type ${firstId + i}${type.name ? ` '${type.name}'` : ''}`;
    writeType(target, type);
  }
  return join(out.bytes(), strings.bytes(), littleEndian);
}

function join(types: Uint8Array, strings: Uint8Array, littleEndian: boolean): Uint8Array {
  const bytes = new Uint8Array(HEADER_BYTES + types.length + strings.length);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, MAGIC, littleEndian);
  view.setUint8(2, 1); // version
  const header = [HEADER_BYTES, 0, types.length, types.length, strings.length];
  for (const [i, word] of header.entries()) view.setUint32(4 + i * 4, word, littleEndian);
  bytes.set(types, HEADER_BYTES);
  bytes.set(strings, HEADER_BYTES + types.length);
  return bytes;
}

function writeType(target: Target, type: BtfTypeData): void {
  if (kinds.indexOf(type.kind) <= 0) invalid(target, `'${type.kind}' is not a kind of type that can be written`);
  const { out } = target;
  const size = (): number => integer(target, 'size', (type as { size: number }).size, 0, 0xffff_ffff);
  const reference = (): number => typeId(target, (type as { typeId: number }).typeId);
  switch (type.kind) {
    case 'int': {
      head(target, type, 0, false, size());
      const encoding = encodings[type.encoding] ?? invalid(target, `encoding '${type.encoding}' is unknown`);
      const bits = integer(target, 'bits', type.bits, 0, 0xff);
      const bitOffset = integer(target, 'bitOffset', type.bitOffset, 0, 0xff);
      out.u32((encoding << 24) | (bitOffset << 16) | bits);
      return;
    }
    case 'array':
      head(target, type, 0, false, 0);
      out.u32(reference());
      out.u32(typeId(target, type.indexTypeId));
      out.u32(integer(target, 'length', type.length, 0, 0xffff_ffff));
      return;
    case 'struct':
    case 'union': {
      // With bitfields, 8 bits of an offset are the width.
      const flag = type.members.some(({ bitSize }) => bitSize !== 0);
      head(target, type, type.members.length, flag, size());
      for (const member of type.members) writeMember(target, member, flag);
      return;
    }
    case 'enum':
    case 'enum64':
      writeEnum(target, type);
      return;
    case 'fwd':
      head(target, type, 0, type.of === 'union', 0);
      return;
    case 'func':
      head(target, type, linkage(target, type.linkage), false, reference());
      return;
    case 'func_proto':
      head(target, type, type.params.length, false, typeId(target, type.returnTypeId));
      for (const param of type.params) {
        out.u32(target.strings.offset(param.name));
        out.u32(typeId(target, param.typeId));
      }
      return;
    case 'var':
      head(target, type, 0, false, reference());
      out.u32(linkage(target, type.linkage));
      return;
    case 'datasec':
      head(target, type, type.vars.length, false, size());
      for (const variable of type.vars) {
        out.u32(typeId(target, variable.typeId));
        out.u32(integer(target, 'offset of a variable', variable.offset, 0, 0xffff_ffff));
        out.u32(integer(target, 'size of a variable', variable.size, 0, 0xffff_ffff));
      }
      return;
    case 'float':
      head(target, type, 0, false, size());
      return;
    case 'decl_tag':
      head(target, type, 0, type.attribute === true, reference());
      out.u32(integer(target, 'componentIndex', type.componentIndex, -1, 0x7fff_ffff) >>> 0);
      return;
    case 'type_tag':
      head(target, type, 0, type.attribute === true, reference());
      return;
    default:
      head(target, type, 0, false, reference());
  }
}

/** `struct btf_type`. */
function head(target: Target, { kind, name }: BtfTypeData, vlen: number, flag: boolean, sizeOrType: number): void {
  if (vlen > MAX_VLEN) invalid(target, `${vlen} entries are too many: a type has at most ${MAX_VLEN}`);
  target.out.u32(target.strings.offset(name ?? ''));
  target.out.u32(((flag ? 0x8000_0000 : 0) | (kinds.indexOf(kind) << 24) | vlen) >>> 0);
  target.out.u32(sizeOrType);
}

function writeMember(target: Target, member: BtfMember, flag: boolean): void {
  const maxOffset = flag ? 0xff_ffff : 0xffff_ffff;
  const bitOffset = integer(target, `bitOffset of member '${member.name}'`, member.bitOffset, 0, maxOffset);
  const bitSize = integer(target, `bitSize of member '${member.name}'`, member.bitSize, 0, 0xff);
  target.out.u32(target.strings.offset(member.name));
  target.out.u32(typeId(target, member.typeId));
  target.out.u32(((bitSize << 24) | bitOffset) >>> 0);
}

function writeEnum(target: Target, type: BtfTypeData & { readonly kind: 'enum' | 'enum64' }): void {
  const { out, strings } = target;
  head(target, type, type.values.length, type.signed, integer(target, 'size', type.size, 0, 0xffff_ffff));
  const bits = type.kind === 'enum' ? 32 : 64;
  const min = type.signed ? -(2n ** BigInt(bits - 1)) : 0n;
  const max = min + 2n ** BigInt(bits) - 1n;
  for (const { name, value } of type.values) {
    const exact = typeof value === 'bigint' ? value : Number.isInteger(value) ? BigInt(value) : undefined;
    if (exact === undefined || exact < min || exact > max)
      invalid(target, `the value of '${name}' is ${value}; it must be an integer in ${min}..${max}`);
    out.u32(strings.offset(name));
    out.u32(Number(BigInt.asUintN(32, exact)));
    if (bits === 64) out.u32(Number(BigInt.asUintN(32, exact >> 32n)));
  }
}

function linkage(target: Target, name: BtfLinkage): number {
  const number = linkages.indexOf(name);
  return number >= 0 ? number : invalid(target, `linkage '${name}' is not one of ${linkages.join(', ')}`);
}

function typeId(target: Target, id: number): number {
  if (Number.isInteger(id) && id >= 0 && id <= target.lastId) return id;
  return invalid(target, `there is no type with id ${id}: ids are 0..${target.lastId}`);
}

function integer(target: Target, what: string, value: number, min: number, max: number): number {
  if (Number.isInteger(value) && value >= min && value <= max) return value;
  return invalid(target, `its ${what} is ${value}; it must be an integer in ${min}..${max}`);
}

function invalid(target: Target, message: string): never {
  throw new BtfError('INVALID_TYPE', `${target.what}: ${message}`);
}
