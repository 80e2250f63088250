import { type Insn, type Program, slotCount } from '@bpf/insn';
import { DslError } from './error.ts';

/**
 * Makes a sequence of instructions whose labels are its own: a jump to one of them, or a call, becomes a number of slots, and
 * the label goes away. So a sequence that is written with labels may stand in a program as often as it likes, and takes no
 * name from its caller. Emits nothing else.
 *
 * Own are the labels that are elements of `program` itself, and the jumps that are resolved are its elements, too. What is
 * in an array within it is left as it is: a body or a jump that the caller gave keeps the caller's labels, whatever their
 * names. A jump of the caller that stands within, and that `assemble` makes longer because its target is more than 32,767 slots
 * away (`cpu: 'v4'`), is not counted: programs of that length want labels of their own around it.
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
    if (!isInsn(element) || !('target' in element) || typeof element.target === 'number') return element;
    const own = labels.get(element.target);
    // The address of a function counts from its first slot's end.
    const from = element.kind === 'lddw' ? next - 1 : next;
    return own === undefined ? element : { ...element, target: own - from };
  });
}

function isInsn(element: Program[number]): element is Insn {
  return 'kind' in element;
}
