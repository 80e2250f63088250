import {
  type BtfKind,
  ENTRY_BYTES,
  kindFlag,
  kindNumber,
  kinds,
  type RawBtf,
  readString,
  SHORT_ENTRY_BYTES,
  TYPE_BYTES,
  vlen,
} from './raw.ts';
import type { BtfLinkage, BtfMember, BtfTag, BtfType } from './types.ts';

const linkages: readonly BtfLinkage[] = ['static', 'global', 'extern'];
/** The encoding bits of an int: signed 1, char 2, bool 4. */
const encodings = ['unsigned', 'signed', 'char', 'signed', 'bool'] as const;

/** The type whose record starts at `at`. */
export function decodeType(raw: RawBtf, id: number, at: number): BtfType {
  const { view, littleEndian } = raw;
  const u32 = (offset: number): number => view.getUint32(offset, littleEndian);
  const text = (offset: number): string => readString(raw, u32(offset));
  const info = u32(at + 4);
  const flag = kindFlag(info);
  const kind = kinds[kindNumber(info)] as BtfKind;
  const name = text(at);
  const sizeOrType = u32(at + 8);
  const more = at + TYPE_BYTES;
  const entries = <Entry>(bytes: number, decode: (at: number) => Entry): Entry[] => {
    const list: Entry[] = [];
    for (let i = 0, at = more; i < vlen(info); i++, at += bytes) list.push(decode(at));
    return list;
  };

  switch (kind) {
    case 'void':
      return { id, name, kind };
    case 'int': {
      const word = u32(more);
      const encoding = encodings[(word >>> 24) & 0xf] ?? 'unsigned';
      return { id, name, kind, size: sizeOrType, bits: word & 0xff, bitOffset: (word >>> 16) & 0xff, encoding };
    }
    case 'array':
      return { id, name, kind, typeId: u32(more), indexTypeId: u32(more + 4), length: u32(more + 8) };
    case 'struct':
    case 'union':
      return { id, name, kind, size: sizeOrType, members: entries(ENTRY_BYTES, (at) => decodeMember(raw, at, flag)) };
    case 'enum': {
      const value = (at: number): number => (flag ? view.getInt32(at, littleEndian) : u32(at));
      const values = entries(SHORT_ENTRY_BYTES, (at) => ({ name: text(at), value: value(at + 4) }));
      return { id, name, kind, size: sizeOrType, signed: flag, values };
    }
    case 'enum64': {
      const value = (at: number): bigint => {
        const unsigned = (BigInt(u32(at + 4)) << 32n) | BigInt(u32(at));
        return flag ? BigInt.asIntN(64, unsigned) : unsigned;
      };
      const values = entries(ENTRY_BYTES, (at) => ({ name: text(at), value: value(at + 4) }));
      return { id, name, kind, size: sizeOrType, signed: flag, values };
    }
    case 'fwd':
      return { id, name, kind, of: flag ? 'union' : 'struct' };
    case 'func':
      return { id, name, kind, typeId: sizeOrType, linkage: linkages[vlen(info)] ?? 'static' };
    case 'func_proto': {
      const params = entries(SHORT_ENTRY_BYTES, (at) => ({ name: text(at), typeId: u32(at + 4) }));
      return { id, name, kind, returnTypeId: sizeOrType, params };
    }
    case 'var':
      return { id, name, kind, typeId: sizeOrType, linkage: linkages[u32(more)] ?? 'static' };
    case 'datasec': {
      const vars = entries(ENTRY_BYTES, (at) => ({ typeId: u32(at), offset: u32(at + 4), size: u32(at + 8) }));
      return { id, name, kind, size: sizeOrType, vars };
    }
    case 'float':
      return { id, name, kind, size: sizeOrType };
    case 'decl_tag':
      return { id, name, kind, typeId: sizeOrType, componentIndex: view.getInt32(more, littleEndian), ...tag(flag) };
    case 'type_tag':
      return { id, name, kind, typeId: sizeOrType, ...tag(flag) };
    default:
      return { id, name, kind, typeId: sizeOrType };
  }
}

const tag = (flag: boolean): BtfTag => (flag ? { attribute: true } : {});

/** With kind_flag set, the upper 8 bits of a member's offset are the width of a bitfield, or 0. */
export function decodeMember(raw: RawBtf, at: number, flag: boolean): BtfMember {
  const { view, littleEndian } = raw;
  const place = view.getUint32(at + 8, littleEndian);
  return {
    name: readString(raw, view.getUint32(at, littleEndian)),
    typeId: view.getUint32(at + 4, littleEndian),
    bitOffset: flag ? place & 0xff_ffff : place,
    bitSize: flag ? place >>> 24 : 0,
  };
}
