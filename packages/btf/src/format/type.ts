import type { Btf } from '../btf.ts';
import { BtfError } from '../error.ts';
import type { BtfMember, BtfType } from '../types.ts';
import { type BodyStyle, bodyOf } from './body.ts';
import type { CLayout } from './c-layout.ts';
import { declare, identifier, isTagged, outermost } from './declare.ts';
import { openTypes, type Types } from './types.ts';

/** What pahole counts cache lines in. */
const CACHE_LINE_BYTES = 64;

/**
 * One type as C, with the offset and the size in bytes of each member in a comment, as pahole shows them. Members of
 * anonymous structs have their offsets in the whole. A bitfield's is that of the integer it is declared as, then the bit.
 * Holes and padding are comments.
 *
 * @throws BtfError `NOT_FOUND`; `INVALID_TYPE` for a section or a declaration tag, which are not types; `CORRUPT`
 * @example
 * ```ts
 * formatType(btf, btf.find('struct', 'list_head') ?? 0);
 * // struct list_head {
 * //         struct list_head *next;                          /*     0     8 *\/
 * //         struct list_head *prev;                          /*     8     8 *\/
 * //         /* size: 16, cachelines: 1, members: 2 *\/
 * // };
 * ```
 */
export function formatType(btf: Btf, id: number): string {
  const types = openTypes(btf);
  const style = plainStyle(types);
  const type = types.type(id);
  switch (type.kind) {
    case 'struct':
    case 'union':
    case 'enum':
    case 'enum64':
      return `${withSize(bodyOf(style, type, outermost), type)};`;
    case 'fwd':
      return `${style.name(type)};`;
    case 'func':
      return `${formatPrototype(btf, id)};`;
    case 'var':
      return `${declare(style, type.typeId, identifier(type.name), outermost)};${sizeComment(btf, type.typeId)}`;
    case 'typedef': {
      const target = types.type(type.typeId);
      const text = declare(style, type.typeId, identifier(type.name), outermost);
      const inline = isTagged(target) && target.name === '';
      return `typedef ${inline ? withSize(text, target) : text};${inline ? '' : sizeComment(btf, id)}`;
    }
    default:
      return `${declare(style, id, '', outermost)};${sizeComment(btf, id)}`;
  }
}

/**
 * The prototype of a function, or of what a typedef of functions or of pointers to them names.
 *
 * @throws BtfError `NOT_FOUND`, `NOT_A_FUNCTION`, `CORRUPT`
 * @example
 * ```ts
 * formatPrototype(btf, btf.find('func', 'vfs_read') ?? 0);
 * // ssize_t vfs_read(struct file *file, char *buf, size_t count, loff_t *pos)
 * ```
 */
export function formatPrototype(btf: Btf, id: number): string {
  const types = openTypes(btf);
  const { name, kind } = types.type(id);
  let behind = types.behind(id);
  if (behind.kind === 'func' || behind.kind === 'ptr') behind = types.behind(behind.typeId);
  if (behind.kind !== 'func_proto')
    throw new BtfError('NOT_A_FUNCTION', `type ${id} '${name}' is a ${kind}, not a function`);
  return declare(plainStyle(types), behind.id, identifier(name), outermost);
}

/**
 * A declaration of something of a type: around its name, as C has it. Without a name, the type alone.
 *
 * @throws BtfError `NOT_FOUND`, `INVALID_TYPE`, `CORRUPT`
 * @example
 * ```ts
 * formatDeclaration(btf, btf.func('vfs_read').params[0].typeId, 'file'); // struct file *file
 * ```
 */
export function formatDeclaration(btf: Btf, id: number, name: string): string {
  return declare(plainStyle(openTypes(btf)), id, identifier(name), outermost);
}

/** Names as they are, and comments. */
function plainStyle(types: Types): BodyStyle {
  const style: BodyStyle = {
    types,
    layouts: new Map(),
    name: nameOf,
    enumerator: identifier,
    body: (type, place) => bodyOf(style, type, place),
    comment,
  };
  return style;
}

function nameOf(type: BtfType): string {
  switch (type.kind) {
    case 'void':
      return 'void';
    case 'int':
      return type.name.split(' ').map(identifier).join(' ');
    case 'struct':
    case 'union':
    case 'enum':
      return `${type.kind} ${identifier(type.name)}`;
    case 'enum64':
      return `enum ${identifier(type.name)}`;
    case 'fwd':
      return `${type.of} ${identifier(type.name)}`;
    default:
      return identifier(type.name);
  }
}

function comment({ bitSize }: BtfMember, { size }: CLayout, bit: number): string {
  if (bitSize === 0) return `/* ${column(Math.floor(bit / 8), 5)} ${column(size, 5)} */`;
  const unit = Math.floor(bit / (size * 8)) * size;
  return `/* ${column(unit, 5)}:${column(bit - unit * 8, 2)} ${column(size, 2)} */`;
}

function column(value: number, width: number): string {
  return String(value).padStart(width);
}

/** The size of the whole, before the last brace. */
function withSize(text: string, type: BtfType): string {
  const end = text.lastIndexOf('\n}');
  if (end < 0 || !isTagged(type)) return text;
  const fields = [`size: ${type.size}`];
  if (type.kind === 'struct' || type.kind === 'union')
    fields.push(`cachelines: ${Math.ceil(type.size / CACHE_LINE_BYTES)}`, `members: ${type.members.length}`);
  return `${text.slice(0, end)}\n\t/* ${fields.join(', ')} */${text.slice(end)}`;
}

/** Nothing for what has no size. */
function sizeComment(btf: Btf, id: number): string {
  try {
    return ` /* size: ${btf.sizeOf(id)} */`;
  } catch (error) {
    if (error instanceof BtfError && error.code === 'NO_SIZE') return '';
    throw error;
  }
}
