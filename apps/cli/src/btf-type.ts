import type { Btf, BtfMember } from '@bpf/btf';
import { formatDeclaration, formatType } from '@bpf/btf/format';
import { type BtfOptions, withBtf } from './btf-file.ts';
import { requireTypes } from './btf-names.ts';
import { jsonLine, print } from './output.ts';

/** `bpf btf type`: every type with the name, of whatever kind. */
export async function showType(
  words: readonly string[],
  options: BtfOptions & { readonly json?: true },
): Promise<void> {
  await withBtf(options, (btf) => {
    const ids = requireTypes(btf, words.join(' '));
    if (options.json) return print(ids.map((id) => jsonLine(typeJson(btf, id))));
    return print([ids.map((id) => `${formatType(btf, id)}\n`).join('\n')]);
  });
}

/** A type with bpftool's keys, and the C of its members' types beside their ids. */
function typeJson(btf: Btf, id: number): Record<string, unknown> {
  const type = btf.type(id);
  const json = {
    id,
    kind: type.kind.toUpperCase(),
    name: type.name,
    ...('size' in type && { size: type.size }),
    ...('typeId' in type && { type_id: type.typeId, type: formatDeclaration(btf, type.typeId, '') }),
  };
  switch (type.kind) {
    case 'struct':
    case 'union':
      return { ...json, members: type.members.map((member) => memberJson(btf, member)) };
    case 'enum':
    case 'enum64':
      return { ...json, values: type.values.map(({ name, value }) => ({ name, val: value })) };
    default:
      return json;
  }
}

function memberJson(btf: Btf, { name, typeId, bitOffset, bitSize }: BtfMember): Record<string, unknown> {
  return {
    name: name || '(anon)',
    type_id: typeId,
    type: formatDeclaration(btf, typeId, ''),
    bits_offset: bitOffset,
    ...(bitSize > 0 && { bitfield_size: bitSize }),
  };
}
