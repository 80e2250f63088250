import type { Btf } from '../btf.ts';
import type { BtfType } from '../types.ts';
import { type BodyStyle, bodyOf } from './body.ts';
import type { CLayouts } from './c-layout.ts';
import { declare, isTagged, outermost, type Tagged } from './declare.ts';
import { openNames, plainNumber } from './names.ts';
import { openOrder } from './order.ts';
import { idsOf, openTypes } from './types.ts';

const BEGIN = `#ifndef __VMLINUX_H__
#define __VMLINUX_H__

#ifndef BPF_NO_PRESERVE_ACCESS_INDEX
#pragma clang attribute push (__attribute__((preserve_access_index)), apply_to = record)
#endif

`;
const END = `#ifndef BPF_NO_PRESERVE_ACCESS_INDEX
#pragma clang attribute pop
#endif

#endif /* __VMLINUX_H__ */
`;

/**
 * Types as C: the header that `bpftool btf dump file … format c` makes, `vmlinux.h`, for `clang -target bpf`. Definitions
 * come before their uses; sizes and offsets are those that BTF says, by `packed` and by unnamed padding where C's own
 * would differ. Of several types with one name, all but the first get a suffix: `ring___2`.
 *
 * @param options.roots write only these types, by id or by name (`'task_struct'`, `'struct page'`), and what they need:
 *   what they point to is only declared. By default all types are written, those of a base included.
 * @throws BtfError `CORRUPT` also for types that contain themselves, `NOT_FOUND` for a root that does not exist
 * @example
 * ```ts
 * writeFileSync('vmlinux.h', formatC(parseBtf(readFileSync('/sys/kernel/btf/vmlinux'))));
 * formatC(btf, { roots: ['list_head'] }); // … struct list_head { struct list_head *next; struct list_head *prev; }; …
 * ```
 */
export function formatC(btf: Btf, options: { readonly roots?: readonly (number | string)[] } = {}): string {
  const types = openTypes(btf);
  const names = openNames(types);
  const layouts: CLayouts = new Map();
  const written = new Set<number>();
  const text: string[] = [];
  const style: BodyStyle = {
    types,
    layouts,
    name: names.of,
    enumerator: names.enumerator,
    body(type, place) {
      written.add(type.id);
      return bodyOf(style, type, place);
    },
  };
  const declarations = new Set<string>();
  const declaration = (type: BtfType): string => `${names.of(type)};\n\n`;
  const visit = openOrder(types, {
    define(type) {
      // Just declared for what it says of itself: it does that as well.
      for (let i = text.length - 1; declarations.has(text[i] ?? ''); i--)
        if (text[i] === declaration(type)) text.splice(i, 1);
      text.push(`${definition(style, type)};\n\n`);
    },
    declareTag(type) {
      declarations.add(declaration(type));
      text.push(declaration(type));
    },
  });

  const all = options.roots === undefined;
  const roots =
    options.roots?.flatMap((root) => idsOf(btf, root)) ?? Array.from({ length: btf.count }, (_, i) => i + 1);
  const named = roots.filter((id) => isDefined(types.type(id)));
  // What is asked for has its name before what it needs.
  for (const id of named) if (types.type(id).name !== '') names.of(types.type(id));
  for (const id of named) if (!all || types.type(id).name !== '') visit(id);
  for (const id of named) {
    const type = types.type(id);
    // Those that nothing uses are there for their values.
    if (type.name === '' && !written.has(id) && (!all || type.kind === 'enum' || type.kind === 'enum64'))
      text.push(`${style.body(type as Tagged, outermost)};\n\n`);
  }
  return BEGIN + text.join('') + END;
}

/** Whether it is a type that C has definitions of. */
function isDefined(type: BtfType): boolean {
  return isTagged(type) || type.kind === 'typedef' || type.kind === 'fwd';
}

/** A definition, without its semicolon. */
function definition(style: BodyStyle, type: BtfType): string {
  if (type.kind === 'int' || type.kind === 'float') return `typedef ${plainNumber(type)} ${style.name(type)}`;
  if (type.kind !== 'typedef') return style.body(type as Tagged, outermost);
  // Old compilers say that it is of no type.
  if (type.typeId === 0 && type.name === '__gnuc_va_list') return 'typedef __builtin_va_list __gnuc_va_list';
  return `typedef ${declare(style, type.typeId, style.name(type), outermost)}`;
}
