// One guest: boots a kernel with a job in it and says how that ended.
import { spawn } from 'node:child_process';
import { appendFile, copyFile, mkdir, readFile, rm } from 'node:fs/promises';
import type { Profile } from '../kernel-test/profiles.ts';
import { runInitrd } from './initrd.ts';
import type { Kernel } from './kernel.ts';
import type { Context } from './run.ts';
import { type Arch, archOf, TRIPLETS } from './series.ts';
import { toolCommand, toolPath } from './tools.ts';

/** What runs in the guests: a folder with kernel-tests.mjs, packed once for all of them. */
export interface Job {
  /** The cached archives with busybox, node and setpriv. */
  readonly bases: ReadonlyMap<Arch, string>;
  /** The archive of the job's folder. */
  readonly archive: Uint8Array;
  readonly profiles: readonly Profile[];
  readonly environment: Readonly<Record<string, string>>;
  /** How long a guest may take; one for arm64 twice as long. */
  readonly seconds: number;
}

/** How a guest ended, and everything it said. */
export interface Ending {
  /** `died` is any end without an exit code of every profile: a panic, or qemu that would not start. */
  readonly kind: 'exited' | 'died' | 'timeout';
  /** The exit codes of the profiles that came to their end. */
  readonly codes: ReadonlyMap<string, number>;
  readonly console: string;
  readonly output: string;
  readonly seconds: number;
}

/** The same tests take a third longer there, and on a busy machine more than 300 s. */
const SLOWNESS = { x64: 1, arm64: 2 };

/** Boots a kernel, runs the job and returns when the guest is gone. Rejects only when told to stop. */
export async function bootGuest(context: Context, kernel: Kernel, job: Job): Promise<Ending> {
  const folder = `${context.cache}/runs/${process.pid}-${kernel.series}`;
  const started = Date.now();
  await mkdir(folder, { recursive: true });
  try {
    const initrd = `${folder}/initrd`;
    await copyFile(job.bases.get(archOf(kernel.series)) ?? '', initrd);
    await appendFile(initrd, await readFile(`${kernel.folder}/guest.cpio`));
    await appendFile(initrd, job.archive);
    const environment = { ...job.environment, KERNEL_SERIES: kernel.series };
    await appendFile(initrd, runInitrd(job.profiles, environment));
    const limit = job.seconds * SLOWNESS[archOf(kernel.series)];
    const { timeout, complaint } = await runQemu(context, kernel, folder, limit);

    const [console, output, exits] = await Promise.all(
      ['console', 'output', 'exits'].map((name) => readFile(`${folder}/${name}`, 'utf8').catch(() => '')),
    );
    const codes = new Map<string, number>();
    for (const [, profile = '', code] of (exits ?? '').matchAll(/^(\w+) (\d+)$/gm)) {
      codes.set(profile, Number(code));
    }
    const complete = job.profiles.every((profile) => codes.has(profile));
    const kind = complete ? 'exited' : timeout ? 'timeout' : 'died';
    const seconds = (Date.now() - started) / 1000;
    return { kind, codes, console: `${console}${complaint}`, output: output ?? '', seconds };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Runs qemu until the guest ends or its time is over. */
async function runQemu(context: Context, kernel: Kernel, folder: string, seconds: number) {
  // The parent-death signal ends qemu even when this process is killed outright.
  const arch = archOf(kernel.series);
  const program = { x64: 'qemu-system-x86_64', arm64: 'qemu-system-aarch64' }[arch];
  const qemu = toolCommand(context, program, qemuArguments(context, kernel, folder), arch);
  const [command, ...args] = toolCommand(context, 'setpriv', ['--pdeathsig', 'KILL', '--', ...qemu]);
  const modules = toolPath(context, `lib/${TRIPLETS.x64}/qemu`, arch);
  context.signal.throwIfAborted();
  return new Promise<{ timeout: boolean; complaint: string }>((resolve, reject) => {
    const child = spawn(command, args, {
      env: { ...process.env, QEMU_MODULE_DIR: modules },
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    let timeout = false;
    let complaint = '';
    const kill = () => child.kill('SIGKILL');
    const timer = setTimeout(() => {
      timeout = true;
      kill();
    }, seconds * 1000);
    context.signal.addEventListener('abort', kill);
    child.stderr.on('data', (chunk: Buffer) => {
      complaint += chunk.toString();
    });
    child.on('error', (error) => {
      complaint += error.message;
    });
    child.on('close', () => {
      clearTimeout(timer);
      context.signal.removeEventListener('abort', kill);
      if (context.signal.aborted) reject(context.signal.reason);
      else resolve({ timeout, complaint });
    });
  });
}

function qemuArguments(context: Context, kernel: Kernel, folder: string): string[] {
  const arch = archOf(kernel.series);
  const commandLine = [
    'console=ttyS0 quiet panic=-1 oops=panic',
    // Emulation makes these slow, and nothing in a guest is worth protecting.
    'nokaslr mitigations=off random.trust_cpu=on',
    // On a busy machine the emulated timer may come too late for the check that 5.10 makes at boot.
    ...(arch === 'x64' ? ['tsc=reliable', 'no_timer_check'] : []),
    // Without bpf in this list, BPF LSM programs attach and never run (5.10).
    'lsm=lockdown,yama,apparmor,bpf',
  ];
  return [
    ...MACHINES[arch](context),
    ...['-accel', 'tcg,thread=multi,tb-size=512', '-smp', '2', '-m', '1536'],
    ...['-nodefaults', '-no-user-config', '-display', 'none', '-no-reboot'],
    ...['-kernel', `${kernel.folder}/vmlinux`, '-initrd', `${folder}/initrd`],
    ...['-append', commandLine.join(' ')],
    ...['console', 'output', 'exits'].flatMap((name) => SERIAL_LINES[arch](name, `${folder}/${name}`)),
  ];
}

const MACHINES = {
  x64: (context: Context) => [
    ...['-L', toolPath(context, 'share/qemu'), '-L', toolPath(context, 'share/seabios')],
    // Not microvm, which hangs now and then. Without rdrand node takes seconds to start.
    ...['-M', 'q35', '-cpu', 'qemu64,+rdrand,+rdseed,+fsgsbase,+popcnt,+sse4.1,+sse4.2,+ssse3'],
  ],
  // No newer processor: those have pointer authentication, which is slow to emulate.
  arm64: (context: Context) => ['-L', toolPath(context, 'share/qemu', 'arm64'), '-M', 'virt', '-cpu', 'cortex-a76'],
};

const SERIAL_LINES = {
  x64: (_name: string, path: string) => ['-serial', `file:${path}`],
  // The machine's own line is ttyAMA0, and alone: these are ttyS0 to ttyS2, as on x64.
  arm64: (name: string, path: string) => [
    ...['-chardev', `file,id=${name},path=${path}`],
    ...['-device', `pci-serial,chardev=${name}`],
  ],
};
