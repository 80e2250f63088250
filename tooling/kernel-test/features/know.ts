import { type AttachType, type ProgFlag, type ProgType, progLoad } from '@bpf/sys';
import type { Feature } from '../harness.ts';
import { bpfSyscall, idInBtf, linkProbe, RETURN_0 } from './probe.ts';
import { fmodRet } from './tracing.ts';

// What packages/programs knows of a machine. Probes and the doctor answer everywhere: that is what they are for.
export const knowProbes: Feature = { name: 'know/probes', probe: () => undefined };
export const knowDoctor: Feature = { name: 'know/doctor', probe: () => undefined };
export const knowHelpers: Feature = { ...bpfSyscall, name: 'know/helpers' };
export const knowObjects: Feature = { ...bpfSyscall, name: 'know/objects' };
export const knowRun: Feature = { ...bpfSyscall, name: 'know/run' };
export const knowStats: Feature = { ...bpfSyscall, name: 'know/stats' };
/** Test runs that came after 5.10, tried by making one. */
export const knowRunSyscall: Feature = {
  name: 'know/run_syscall',
  probe: () => loads('syscall', undefined, ['sleepable']),
};
export const knowRunNetfilter: Feature = { name: 'know/run_netfilter', probe: () => loads('netfilter', 'netfilter') };

/** The kernel's own function to try fmod_ret on: until 6.2, with CONFIG_FUNCTION_ERROR_INJECTION only. */
export const knowRunFmodRet: Feature = {
  name: 'know/run_fmod_ret',
  probe: () =>
    fmodRet.probe() ??
    linkProbe('fmod_ret programs on bpf_modify_return_test', () => {
      const attachBtfId = idInBtf('func', 'bpf_modify_return_test');
      const at = { expectedAttachType: 'modify_return', attachBtfId } as const;
      progLoad({ type: 'tracing', ...at, insns: RETURN_0, license: 'GPL' }).close();
    }),
};

function loads(type: ProgType, expectedAttachType?: AttachType, flags: readonly ProgFlag[] = []): string | undefined {
  return linkProbe(`${type} programs`, () => {
    const attach = expectedAttachType ? { expectedAttachType } : {};
    progLoad({ type, ...attach, flags, insns: RETURN_0, license: 'GPL' }).close();
  });
}
