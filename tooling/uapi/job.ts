// Runs in a kernel of the matrix for generate.ts: says what that kernel's BTF says of bpf(2).
import { kernelBtf } from '@bpf/programs';
import { describeUapi } from './describe.ts';

console.log(`uapi ${JSON.stringify(describeUapi(kernelBtf()))}`);
console.log(JSON.stringify({ feature: 'uapi', name: 'is described', status: 'passed' }));
console.log(JSON.stringify({ done: true }));
