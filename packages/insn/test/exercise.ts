import { everything } from './bundle.ts';

/**
 * A module that puts the package to work, each entry of it, and exports what came out as one string, `result`: the same
 * wherever JavaScript runs. It says 'not done' of what it cannot finish, so that nothing passes by doing nothing.
 */
export function exercise(): string {
  return `${everything()}
    import { add, assemble, captureSource, decode, exit, jeq, label, lddw, ldMapFd, ldx, mov, stx, call } from '@bpf/insn';
    import { format, parse } from '@bpf/insn/text';
    import { check } from '@bpf/insn/check';
    import { helperId, helperName } from '@bpf/insn/helpers';

    const program = [
      mov('r6', 'r1'),
      [lddw('r3', 0x1234_5678_9abc_def0n), ldMapFd('r1', 'events'), stx('dw', 'r10', 'r3', -8)],
      ldx('w', 'r2', 'r6', 4),
      jeq('r2', 0, 'out'),
      call(helperId('bpf_map_lookup_elem')),
      add('r0', -1),
      label('out'),
      mov('r0', 0),
      exit(),
    ];
    const options = { maps: { events: 5 } };
    const hex = (bytes) => Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
    const insns = decode(assemble(program, options));
    let refused = 'not done';
    try {
      mov('r0', 2 ** 40);
    } catch (error) {
      refused = error.name + ' ' + error.code + ': ' + error.message;
    }
    export const result = [
      hex(assemble(program, options)),
      hex(assemble(program, { ...options, endian: 'big' })),
      hex(assemble(insns)),
      hex(assemble(parse(format(insns)))),
      format(program),
      check(program).map(({ message }) => message).join(),
      helperName(1),
      typeof captureSource(() => exit()).at?.line,
      refused,
    ].join('\\n');
  `;
}
