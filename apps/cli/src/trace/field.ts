import { type Btf, type BtfAccess, BtfError } from '@bpf/btf';
import { nearest } from '../btf-names.ts';

/** The id of the struct or union that a type is a pointer to, if it is. */
export function structBehind(btf: Btf, typeId: number): number | undefined {
  const pointer = btf.type(btf.resolve(typeId));
  if (pointer.kind !== 'ptr') return undefined;
  const { id, kind } = btf.type(btf.resolve(pointer.typeId));
  return kind === 'struct' || kind === 'union' ? id : undefined;
}

/** The way to a field of a struct. One that is not there is an error with the names that are near. */
export function findField(btf: Btf, struct: number, path: string): BtfAccess {
  try {
    return btf.access(struct, path);
  } catch (error) {
    if (!(error instanceof BtfError) || error.code !== 'NOT_FOUND') throw error;
    const near = nearPaths(btf, struct, path);
    throw new Error(`${sentence(error.message)}${near.length > 0 ? ` Did you mean ${near.join(' or ')}?` : ''}`, {
      cause: error,
    });
  }
}

const sentence = (text: string): string => `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;

/** The names near the first of the path that is not there. */
function nearPaths(btf: Btf, struct: number, path: string): string[] {
  const steps = path.split('.');
  let owner = struct;
  for (const [i, step] of steps.entries()) {
    const name = step.replace(/\[.*/, '');
    const names = memberNames(btf, owner);
    if (!names.includes(name)) return nearest(name, names);
    const { typeId } = btf.access(struct, steps.slice(0, i + 1).join('.'));
    owner = structBehind(btf, typeId) ?? btf.resolve(typeId);
  }
  return [];
}

/** Those of anonymous members are the struct's own. */
function memberNames(btf: Btf, struct: number): string[] {
  const type = btf.type(struct);
  if (type.kind !== 'struct' && type.kind !== 'union') return [];
  return type.members.flatMap(({ name, typeId }) => (name === '' ? memberNames(btf, btf.resolve(typeId)) : [name]));
}
