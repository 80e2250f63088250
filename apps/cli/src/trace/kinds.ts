import type { Btf } from '@bpf/btf';

// What a declared type says of what is behind a pointer. A `const char *` is taken for a string, in whichever memory it is.
// A `char *` may be a buffer that is yet to be filled: it is one only for who names it. `u8 *` are bytes.

/** Whether a type is a `const char *`. */
export function isText(btf: Btf, typeId: number): boolean {
  return characters(btf, typeId) === 'const';
}

/** Whether a type is a `char *`, const or not. */
export function isString(btf: Btf, typeId: number): boolean {
  return characters(btf, typeId) !== undefined;
}

const CHARACTERS = ['char', 'unsigned char', 'signed char'];

function characters(btf: Btf, typeId: number): 'const' | 'plain' | undefined {
  const pointer = btf.type(btf.resolve(typeId));
  if (pointer.kind !== 'ptr' || pointer.typeId === 0) return undefined;
  let type = btf.type(pointer.typeId);
  let constant = false;
  while (type.kind === 'const' || type.kind === 'volatile' || type.kind === 'restrict' || type.kind === 'type_tag') {
    constant ||= type.kind === 'const';
    if (type.typeId === 0) return undefined;
    type = btf.type(type.typeId);
  }
  if (type.kind !== 'int' || !CHARACTERS.includes(type.name)) return undefined;
  return constant ? 'const' : 'plain';
}

const SOCKADDRS = [
  'sockaddr',
  'sockaddr_unsized',
  'sockaddr_storage',
  '__kernel_sockaddr_storage',
  'sockaddr_in',
  'sockaddr_in6',
  'sockaddr_un',
];

/** Whether a type is a socket's address, or a pointer to one. */
export function isSockaddr(btf: Btf, typeId: number): boolean {
  let type = btf.type(btf.resolve(typeId));
  if (type.kind === 'ptr') type = btf.type(btf.resolve(type.typeId));
  return type.kind === 'struct' && SOCKADDRS.includes(type.name);
}

/** Whether a type is a pointer. */
export function isPointer(btf: Btf, typeId: number): boolean {
  return btf.type(btf.resolve(typeId)).kind === 'ptr';
}
