import { readFileSync } from 'node:fs';
import { haveHelper } from '@bpf/programs';
import { type AttachType, type ProgType, progLoad, SysError } from '@bpf/sys';
import type { Feature } from '../harness.ts';
import { bpfSyscall, inBtf } from './probe.ts';

/** Instructions that came with a release: tried one by one, as their bytes. */
export const atomics: Feature = instruction('isa/atomics', 'lock *(u64 *)(r10 - 8) |= r1', 'db1af8ff40000000');
export const isaV4: Feature = instruction('isa/v4', 'r1 = bswap16 r1', 'd701000010000000');
export const acquireRelease: Feature = instruction('isa/acquire_release', 'store_release', 'db1af8ff10010000');
export const mayGotoLoop: Feature = instruction('isa/may_goto', 'may_goto +1', 'e500010000000000b701000000000000');
/** Wants more than instructions, and is there in every kernel of the matrix. */
export const mapValueAddress: Feature = { ...bpfSyscall, name: 'isa/map_value' };
export const kfuncs: Feature = {
  name: 'isa/kfunc',
  probe: () => bpfSyscall.probe() ?? inBtf('func', 'bpf_rcu_read_lock'),
};

export const kernelVariables: Feature = {
  name: 'isa/ksym_var',
  probe: () =>
    bpfSyscall.probe() ??
    inBtf('var', 'runqueues') ??
    (readFileSync('/proc/kallsyms', 'latin1').includes(' runqueues\n')
      ? undefined
      : "this kernel's kallsyms has no variables"),
};

/** An instruction on r1 and the stack at -8, both of which are written before it. */
function instruction(name: string, text: string, hex: string): Feature {
  const program = ['b701000000000000', '7b1af8ff00000000', hex, 'b700000000000000', '9500000000000000'].join('');
  return {
    name,
    probe() {
      try {
        progLoad({ type: 'socket_filter', insns: Buffer.from(program, 'hex'), license: 'GPL' }).close();
        return undefined;
      } catch (error) {
        if (!(error instanceof SysError) || error.code !== 'EINVAL') throw error;
        return `this kernel's verifier does not know \`${text}\``;
      }
    },
  };
}

/** A helper that came after 5.10, as programs of a type may call it. */
export function helper(name: string, type: ProgType, attachType?: AttachType): Feature {
  return {
    name: `helper/${name}`,
    probe() {
      const answer = haveHelper(type, name, attachType ? { attachType } : {});
      return answer.supported ? undefined : answer.reason;
    },
  };
}
