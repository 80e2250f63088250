// Lists the sockets of this network namespace: TCP, UDP, and on Linux 5.15 and newer those of AF_UNIX:
//
//   npm run example ss
import { array, char, struct, u8, u16, u64 } from '@bpf/btf/data';
import { copyFields, stackRecord, structPtr } from '@bpf/dsl';
import { iterProgram, loadOrExit, type Meta, writeRecord } from '@bpf/dsl-iter';
import { kernelBtf, openIterator } from '@bpf/programs';

const AF_INET6 = 10;
const btf = kernelBtf();
const Inet = struct({ family: u16, port: u16, state: u8, ip4: array(u8, 4), ip6: array(u8, 16) });
const Unix = struct({ inode: u64, state: u8, path: char(108) });
const [inet, unix] = [stackRecord(Inet, -32), stackRecord(Unix, -120)];

/** @param way from the struct that r7 points to, to the sock_common in it */
const writeInet = (ctx: Meta, struct: string, way: string) => [
  copyFields(structPtr(btf, struct, 'r7'), inet, {
    family: `${way}skc_family`,
    port: `${way}skc_num`,
    state: `${way}skc_state`,
    ip4: `${way}skc_rcv_saddr`,
    ip6: `${way}skc_v6_rcv_saddr`,
  }),
  writeRecord(ctx, inet),
];
const inetPrograms = [
  iterProgram('tcp', 'tcp', (ctx) => [loadOrExit(ctx, 'r7', 'sk_common'), writeInet(ctx, 'sock_common', '')]),
  iterProgram('udp', 'udp', (ctx) => [
    loadOrExit(ctx, 'r7', 'udp_sk'),
    writeInet(ctx, 'udp_sock', 'inet.sk.__sk_common.'),
  ]),
];
const unixProgram = iterProgram('unix', 'unix', (ctx) => [
  loadOrExit(ctx, 'r7', 'unix_sk'),
  copyFields(structPtr(btf, 'unix_sock', 'r7'), unix, {
    inode: 'sk.sk_socket.file.f_inode.i_ino', // each may be NULL, and is 0 then
    state: 'sk.__sk_common.skc_state',
    path: 'addr.name[0].sun_path', // an abstract name starts with a NUL, and is left out here
  }),
  writeRecord(ctx, unix),
]);

const states = ',ESTAB,SYN-SENT,SYN-RECV,FIN-WAIT-1,FIN-WAIT-2,TIME-WAIT,CLOSE,CLOSE-WAIT,LAST-ACK,LISTEN'.split(',');
const hex = (address: number[]) =>
  Buffer.from(address)
    .toString('hex')
    .replace(/.{4}(?=.)/g, '$&:');

for (const program of inetPrograms) {
  using sockets = openIterator(program);
  for (const { family, port, state, ip4, ip6 } of sockets.records(Inet)) {
    const address = family === AF_INET6 ? new URL(`http://[${hex(ip6)}]`).hostname : ip4.join('.');
    console.log(program.name, states[state], `${address}:${port}`);
  }
}
if (btf.find('func', 'bpf_iter_unix')) {
  using sockets = openIterator(unixProgram);
  for (const { inode, state, path } of sockets.records(Unix))
    console.log('unix', states[state], `inode ${inode}`, path);
}
