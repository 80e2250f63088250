import { DslError } from '@bpf/dsl';
import { flatten, label, type Program, type WritableRegister } from '@bpf/insn';
import type { ArgPlace } from './arguments.ts';
import { type ArgSave, prologue } from './prologue.ts';
import { fentryReturn, getFuncRet } from './return-value.ts';

/** The label before the return at the end of a program, for filters to jump to. */
const END = 'return';

/** The parts of {@link buildFentryProgram}. */
export interface FentryParts {
  readonly argSaves?: readonly ArgSave[];
  /** May jump to the label 'return', which is at its end. */
  readonly body: Program;
  /** The verifier takes no other. */
  readonly returnValue?: 0;
}

/**
 * Emits `arguments; body; r0 = 0; exit`: a whole fentry program. `defineFentry` makes one with its description, by the names
 * of the arguments.
 *
 * @throws DslError as {@link prologue}, `RETURN_VALUE` for one other than 0
 * @example
 * ```ts
 * buildFentryProgram({ argSaves: [[0, 'r6']], body: [filterByPid(1234, 'return'), ...] });
 * ```
 */
export function buildFentryProgram({ argSaves = [], body, returnValue = 0 }: FentryParts): Program {
  return [prologue(argSaves), ended(body, returnValue)];
}

/** The parts of {@link buildFexitProgram}. */
export interface FexitParts extends FentryParts {
  /** Where the return value is wanted, if it is. */
  readonly retReg?: WritableRegister;
  /**
   * Where it is in the context: `Btf.func(...).returns`, or the number of slots that the arguments take. Without it the
   * kernel is asked at run time, `getFuncRet`, which takes the 8 bytes at r10 - 8 and wants Linux 5.17.
   */
  readonly returns?: number | ArgPlace;
}

/**
 * Emits `arguments; return value; body; r0 = 0; exit`: a whole fexit program.
 *
 * @throws DslError as {@link buildFentryProgram}; `REGISTER_CLOBBERED` for arguments in r0 to r5 with a return value that
 *   the kernel is asked for
 * @example
 * ```ts
 * const { params, returns } = btf.func('do_unlinkat');
 * buildFexitProgram({ argSaves: [[params[1], 'r6']], retReg: 'r7', returns, body: [...] });
 * ```
 */
export function buildFexitProgram({ argSaves = [], retReg, returns, body, returnValue = 0 }: FexitParts): Program {
  if (retReg === undefined) return buildFentryProgram({ argSaves, body, returnValue });
  if (returns !== undefined)
    return buildFentryProgram({ argSaves: [...argSaves, [returns, retReg]], body, returnValue });
  const lost = argSaves.find(([, dst]) => typeof dst === 'string' && dst < 'r6');
  if (lost)
    throw new DslError(
      'REGISTER_CLOBBERED',
      `${lost[1]} is lost when the kernel is asked for the return value: say where it is (returns), or use r6 to r9`,
    );
  return [prologue(argSaves), getFuncRet(retReg, -8), ended(body, returnValue)];
}

/** The body and its return, unless the body has one and never reaches its end: there the verifier would refuse it. */
export function ended(body: Program, returnValue = 0): Program {
  if (returnValue !== 0)
    throw new DslError('RETURN_VALUE', `fentry and fexit programs return 0, and not ${returnValue}`);
  const insns = flatten(body);
  const jumped = insns.some((insn) => 'target' in insn && insn.target === END);
  if (insns.at(-1)?.kind === 'exit' && !jumped) return body;
  return [body, label(END), fentryReturn(0)];
}
