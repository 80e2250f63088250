import { type Insn, type Program, slotCount } from '@bpf/insn';
import { DslError } from './error.ts';

/**
 * Makes a sequence of instructions whose labels are its own: a jump to one of them becomes a number of slots, and the
 * label goes away. So a sequence that is written with labels may stand in a program as often as it likes, and takes no
 * name from its caller. Emits nothing else.
 *
 * Own are the labels that are elements of `program` itself, and the jumps that are resolved are its elements, too. What is
 * in an array within it is left as it is: a body or a jump that the caller gave keeps the caller's labels, whatever their
 * names.
 *
 * @throws DslError `LABEL_DUPLICATE`
 * @example
 * ```ts
 * // if (dst < src) dst = src;
 * const max = (dst: WritableRegister, src: Register): Program =>
 *   block([jge(dst, src, 'done'), mov(dst, src), label('done')]);
 * ```
 */
export function block(program: Program): Program {
  const labels = new Map<string, number>();
  const rest: (readonly [element: Program[number], next: number])[] = [];
  let slot = 0;
  for (const element of program) {
    if (isInsn(element) && element.kind === 'label') {
      if (labels.has(element.name))
        throw new DslError(
          'LABEL_DUPLICATE',
          `block: the label '${element.name}' is in it twice: give each its own name`,
        );
      labels.set(element.name, slot);
    } else {
      slot += slotCount([element]);
      rest.push([element, slot]);
    }
  }
  return rest.map(([element, next]) => {
    if (!isInsn(element) || (element.kind !== 'jump' && element.kind !== 'goto')) return element;
    const own = typeof element.target === 'string' ? labels.get(element.target) : undefined;
    return own === undefined ? element : { ...element, target: own - next };
  });
}

function isInsn(element: Program[number]): element is Insn {
  return 'kind' in element;
}
