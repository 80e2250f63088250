import { Command, Option } from 'commander';
import { addBtfCommands } from './btf.ts';
import { addCompletionCommands } from './completion/index.ts';
import { addHelp } from './help.ts';
import { lazily } from './lazily.ts';
import { addLinkCommands } from './link/index.ts';
import { addEventsCommand, addMapCommands } from './map/index.ts';
import { count, JSON_LINES } from './options.ts';
import { addProgCommands } from './prog/index.ts';
import { addTraceCommand } from './trace/index.ts';

/** What adds each command, by its name. */
const commands: Readonly<Record<string, (bpf: Command) => void>> = {
  iter: addIterCommand,
  asm: addAsmCommand,
  disasm: addDisasmCommand,
  btf: addBtfCommands,
  prog: addProgCommands,
  map: addMapCommands,
  events: addEventsCommand,
  link: addLinkCommands,
  trace: addTraceCommand,
  features: addFeaturesCommand,
  doctor: addDoctorCommand,
  completion: addCompletionCommands,
};

/**
 * The command with all that it can do. What is wrong with its words is thrown as a CommanderError; the help and the version
 * end the process.
 *
 * @param word the first of its words: when that is a command, only this one is made, because all take milliseconds
 */
export function makeProgram(version: string, word?: string): Command {
  const bpf = new Command('bpf')
    .description('eBPF from the command line, without clang or libbpf.')
    .version(version, '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print this help')
    .configureOutput({ outputError: () => {} })
    .exitOverride((error) => {
      // The help is printed where a command is missing, too.
      if (/^commander\.(help|version)/.test(error.code)) process.exit(error.exitCode === 0 ? 0 : 2);
      throw error;
    });
  addHelp(bpf);
  const isVersion = word === '-V' || word === '--version';
  const isCommand = word !== undefined && Object.hasOwn(commands, word);
  for (const [name, add] of Object.entries(commands)) if (isCommand ? name === word : !isVersion) add(bpf);
  return bpf;
}

function addIterCommand(bpf: Command): void {
  bpf
    .command('iter')
    .description('list objects of the kernel through a BPF iterator: tasks, files, sockets, maps and more')
    .argument('<target>', '`list` prints what this kernel has')
    .option('--fields <paths>', "fields of the target's struct, by their paths: pid,comm,real_parent.tgid")
    .option('--pid <pid>', 'only tasks of this process', count)
    .option('--map <map>', 'for sockmap and bpf_sk_storage_map: its id, name or path')
    .option('--cgroup <path>', 'for cgroup: where to start')
    .option('--json', JSON_LINES)
    .action(lazily(async () => (await import('./iter/iter.ts')).iter));
}

function addAsmCommand(bpf: Command): void {
  bpf
    .command('asm')
    .description('assemble text to instructions')
    .argument('[file]', 'one instruction a line; - or nothing for standard input')
    .addOption(choice('--format <format>', 'what to print', ['hex', 'raw', 'json', 'c']))
    .action(lazily(async () => (await import('./asm.ts')).asm));
}

function addDisasmCommand(bpf: Command): void {
  bpf
    .command('disasm')
    .description('print instructions as text')
    .argument('[file]', 'instructions; - or nothing for standard input')
    .addOption(choice('--format <format>', 'what to print', ['text', 'json']))
    .addOption(choice('--input <format>', 'what is read', ['hex', 'raw']))
    .action(lazily(async () => (await import('./disasm.ts')).disasm));
}

function addFeaturesCommand(bpf: Command): void {
  bpf
    .command('features')
    .description('what this kernel has, and this user may use, each tried: types, attachments, features')
    .option('--json', JSON_LINES)
    .action(lazily(async () => (await import('./features.ts')).features));
}

function addDoctorCommand(bpf: Command): void {
  bpf
    .command('doctor')
    .description(
      'why this user on this machine may not use BPF, or not all of it, and what to do; a problem is status 1',
    )
    .option('--json', JSON_LINES)
    .action(lazily(async () => (await import('./doctor.ts')).diagnose));
}

/** An option that is one of several words, the first unless said otherwise. */
function choice(flags: string, description: string, words: readonly string[]): Option {
  return new Option(flags, description).choices(words).default(words[0]);
}
