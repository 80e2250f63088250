import { assemble, call, exit } from '@bpf/insn';
import { helperId, helperName } from '@bpf/insn/helpers';
import {
  type AttachType,
  capabilityNames,
  type ProgLoadOptions,
  type ProgType,
  progLoadWithLog,
  readMachine,
  SysError,
} from '@bpf/sys';
import { type Answer, isTold, remembered, unsure, yes } from './answer.ts';
import { isTargeted, loadFor, minimal, progTypeNames, progTypes } from './minimal.ts';
import { haveProgType } from './prog-type.ts';

/** How the verifier says that there is no such helper, or not for this type: in words that have changed twice. */
const REFUSED = /(?:unknown func|invalid func|program of this type cannot use helper) \w+#(\d+)/;

/**
 * Whether programs of a type may call a helper, tried by loading one that calls it. Any Linux.
 *
 * @param helper such as 'ringbuf_output', with or without `bpf_`, or its number
 * @param options.attachType where the type's helpers depend on it: 'trace_iter' has seq_write, 'trace_fentry' (what tracing
 *   programs are tried as unless said otherwise) has not
 * @throws RangeError for a name that is no type, or no helper
 * @example
 * ```ts
 * haveHelper('kprobe', 'ringbuf_output').supported; // true
 * haveHelper('tracing', 'seq_write', { attachType: 'trace_iter' });
 * ```
 */
export function haveHelper(
  type: ProgType,
  helper: string | number,
  options: { readonly attachType?: AttachType } = {},
): Answer {
  if (!Object.hasOwn(progTypes, type))
    throw new RangeError(`'${type}' is not a type of programs; they are ${progTypeNames.join(', ')}`);
  const id = typeof helper === 'number' ? helper : helperId(`bpf_${helper.replace(/^bpf_/, '')}`);
  if (id === undefined) throw new RangeError(`'${helper}' is not a helper`);
  const attachType = options.attachType ?? usualAttachType[type];
  return remembered(`helper/${type}/${attachType}/${id}`, () => {
    if (type === 'ext') return unsure('an ext program has the helpers of the program whose function it replaces');
    if (type === 'struct_ops') return unsure('a struct_ops program has the helpers that its operations give it');
    try {
      return tryHelper(type, id, attachType);
    } catch (error) {
      if (!(error instanceof SysError)) throw error;
      return unsure(error.message.replace(/\.$/, ''));
    }
  });
}

/** What programs are tried as that are of several kinds. */
const usualAttachType: Readonly<Partial<Record<ProgType, AttachType>>> = { tracing: 'trace_fentry', lsm: 'lsm_mac' };

function tryHelper(type: ProgType, id: number, attachType: AttachType | undefined): Answer {
  let more: Partial<ProgLoadOptions> = attachType ? { expectedAttachType: attachType } : {};
  if (attachType && isTargeted(attachType)) {
    const target = loadFor(attachType);
    if (!target) return unsure(`this kernel's types have nothing to try a ${attachType} program on`);
    more = target;
  }
  try {
    progLoadWithLog(minimal(type, { ...more, insns: assemble([call(id), exit()]) }), 1).prog.close();
    return yes;
  } catch (error) {
    if (!(error instanceof SysError)) throw error;
    const refused = error.log?.match(REFUSED);
    if (refused && Number(refused[1]) === id) return refusal(type, id, attachType);
    // The verifier has something against the arguments: it knows the helper.
    if (error.log) return yes;
    // It never got so far.
    const typeAnswer = haveProgType(type);
    return typeAnswer.supported === false ? typeAnswer : unsure(error.message.replace(/\.$/, ''));
  }
}

/** The kernel hides helpers from those who may not use them, in the same words. */
function refusal(type: ProgType, id: number, attachType: AttachType | undefined): Answer {
  const name = helperName(id) ?? `helper ${id}`;
  const forAdmins = name === 'bpf_probe_write_user';
  if (!isTold() || (forAdmins && !capabilityNames(readMachine().capabilities).includes('CAP_SYS_ADMIN')))
    return unsure(`${name} is not for this process: whether it is for others needs CAP_SYS_ADMIN to be told`);
  const kind = attachType && isTargeted(attachType) ? `${type} programs (${attachType})` : `${type} programs`;
  return { supported: false, reason: `this kernel, Linux ${readMachine().release}, has no ${name} for ${kind}` };
}
