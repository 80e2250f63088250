import { type Command, Option } from 'commander';
import { btfDumpFormats, listKinds } from './choices.ts';
import { lazily } from './lazily.ts';
import { JSON_LINES } from './options.ts';

/** `bpf btf`: what types the kernel has, and how they are laid out. */
export function addBtfCommands(bpf: Command): void {
  const btf = bpf.command('btf').description("show types: the kernel's, a module's, or those of a file");
  /** A command on the types of a file. */
  const command = (name: string, description: string): Command =>
    btf
      .command(name)
      .description(description)
      .option('--file <file>', 'BTF, or an ELF file that holds some (default: /sys/kernel/btf/vmlinux)')
      .option('--base <file>', "the kernel's types, which those of a module go on from");
  const withJson = (name: string, description: string): Command =>
    command(name, description).option('--json', JSON_LINES);

  command('dump', 'print types as C, as bpftool prints them, or as JSON')
    .addOption(new Option('--format <format>', 'what to print').choices(btfDumpFormats).default('c'))
    .option('--root <type...>', 'only these types and what they need (C only)')
    .action(lazily(async () => (await import('./btf-dump.ts')).dumpTypes));
  withJson('type', 'print a type with the offset and the size of each member')
    .argument('<type...>', 'task_struct, or struct task_struct')
    .action(lazily(async () => (await import('./btf-type.ts')).showType));
  withJson('func', "print a function's prototype, and where tracing programs find its arguments")
    .argument('<function>', 'vfs_read')
    .action(lazily(async () => (await import('./btf-func.ts')).showFunction));
  withJson('list', 'print the id, kind and name of types')
    .addOption(new Option('--kind <kind>', 'only types of this kind').choices(listKinds))
    .argument('[pattern]', "part of a name, or with * and ? all of it: 'bpf_iter_*'")
    .action(lazily(async () => (await import('./btf-list.ts')).listTypes));
}
