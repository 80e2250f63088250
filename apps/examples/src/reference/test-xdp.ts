// Tries an XDP program on packets of one's own, without attaching it: it drops UDP and lets all else pass.
//
//   npm run example test-xdp
import { add, exit, jgt, jne, label, ldx, mov, type Program } from '@bpf/insn';
import { loadProgram, runProgram } from '@bpf/programs';

const [XDP_DROP, XDP_PASS] = [1, 2];
const [IPPROTO_TCP, IPPROTO_UDP] = [6, 17];
const protocol = 14 + 9; // in the IPv4 header, behind that of Ethernet

const dropUdp: Program = [
  [ldx('w', 'r2', 'r1', 0), ldx('w', 'r3', 'r1', 4)], // xdp_md: data, data_end
  [mov('r4', 'r2'), add('r4', protocol + 1)],
  jgt('r4', 'r3', 'pass'), // the verifier wants to see that the packet is so long
  ldx('b', 'r5', 'r2', protocol),
  jne('r5', IPPROTO_UDP, 'pass'),
  [mov('r0', XDP_DROP), exit()],
  label('pass'),
  [mov('r0', XDP_PASS), exit()],
];

function packet(ipProtocol: number): Uint8Array {
  const bytes = new Uint8Array(64);
  bytes.set([0x08, 0x00], 12); // IPv4
  bytes.set([0x45], 14);
  bytes[protocol] = ipProtocol;
  return bytes;
}

using program = loadProgram({ name: 'drop_udp', type: 'xdp', instructions: dropUdp });
for (const [name, ipProtocol] of Object.entries({ TCP: IPPROTO_TCP, UDP: IPPROTO_UDP })) {
  const { retval, duration, data } = runProgram(program, { data: packet(ipProtocol), repeat: 1000 });
  console.log(`${name}: returned ${retval}, ${data.length} bytes, ${duration} ns each`);
}
