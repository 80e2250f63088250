import { Command, Option } from 'commander';
import { asm, asmFormats } from './asm.ts';
import { addBtfCommands } from './btf.ts';
import { disasm, disasmFormats, disasmInputs } from './disasm.ts';
import { addDoctorCommand } from './doctor.ts';
import { addFeaturesCommand } from './features.ts';
import { addIterCommand } from './iter/index.ts';
import { addLinkCommands } from './link/index.ts';
import { addMapCommands } from './map/index.ts';
import { addProgCommands } from './prog/index.ts';

/** The command with all that it can do. */
export function makeProgram(version: string): Command {
  const bpf = new Command('bpf')
    .description('eBPF from the command line, without clang or libbpf.')
    .version(version, '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print this help')
    .addHelpText('after', '\nExit status: 0 done, 1 failed, 77 this machine cannot (the message says why).');

  addIterCommand(bpf);

  bpf
    .command('asm')
    .description('assemble text to instructions')
    .argument('[file]', 'one instruction a line; - or nothing for standard input')
    .addOption(choice('--format <format>', 'what to print', asmFormats))
    .action(asm);

  bpf
    .command('disasm')
    .description('print instructions as text')
    .argument('[file]', 'instructions; - or nothing for standard input')
    .addOption(choice('--format <format>', 'what to print', disasmFormats))
    .addOption(choice('--input <format>', 'what is read', disasmInputs))
    .action(disasm);

  addBtfCommands(bpf);
  addProgCommands(bpf);
  addMapCommands(bpf);
  addLinkCommands(bpf);
  addFeaturesCommand(bpf);
  addDoctorCommand(bpf);
  return bpf;
}

/** An option that is one of several words, the first unless said otherwise. */
function choice(flags: string, description: string, words: readonly string[]): Option {
  return new Option(flags, description).choices(words).default(words[0]);
}
