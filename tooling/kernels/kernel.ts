// From Debian's kernel packages to what a guest boots: an uncompressed kernel and a few modules.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { rm, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { type Entry, file, writeCpio } from './cpio.ts';
import { type Context, run } from './run.ts';
import { decompress } from './tools.ts';

/** Loaded at boot, with whatever they need, where the kernel has them as modules. */
const MODULES = ['veth', 'dummy', 'sch_ingress', 'cls_bpf', 'act_bpf', 'overlay'];

/** Part of what a cached kernel is recognised by: when this changes, it is made again from its packages. */
const RECIPE = `1 ${MODULES.join(' ')}`;

/** A kernel in the cache; its folder holds vmlinux, guest.cpio, kernel.json and the packages (debs/). */
export interface Kernel {
  /** `6.12`, or `6.12-arm64` */
  readonly series: string;
  /** Debian's version of the package. */
  readonly version: string;
  /** What `uname -r` says. */
  readonly release: string;
  readonly recipe: string;
  readonly folder: string;
}

/** Makes a kernel folder from the packages in its `debs` folder. */
export async function buildKernel(context: Context, folder: string, series: string, version: string): Promise<Kernel> {
  const tree = `${folder}/tree`;
  for (const deb of readdirSync(`${folder}/debs`)) {
    await run(context.signal, 'dpkg', ['-x', `${folder}/debs/${deb}`, tree]);
  }
  // Split packages keep vmlinuz and config beside the modules, older ones in /boot with the release's name.
  const names = readdirSync(tree, { recursive: true, encoding: 'utf8' });
  const find = (pattern: RegExp, what: string) => {
    const name = names.find((candidate) => pattern.test(candidate));
    if (name === undefined) throw new Error(`the packages of Linux ${version} hold no ${what}`);
    return name;
  };
  const image = find(/(^|\/)vmlinuz(-[^/]*)?$/, 'vmlinuz');
  const modules = dirname(find(/lib\/modules\/[^/]+\/kernel$/, 'modules'));
  const config = find(/^boot\/config-|lib\/modules\/[^/]+\/config$/, 'config');
  const release = modules.split('/').at(-1) ?? '';
  const moduleFiles = names.filter((name) => /\.ko(\.\w+)?$/.test(name)).map((name) => `${tree}/${name}`);

  await writeFile(`${folder}/vmlinux`, await extractKernel(context, readFileSync(`${tree}/${image}`)));
  const entries = await moduleClosure(context, moduleFiles);
  // Where tools look for the configuration of a kernel that has no /proc/config.gz.
  entries.push(file(`boot/config-${release}`, readFileSync(`${tree}/${config}`)));
  await writeFile(`${folder}/guest.cpio`, writeCpio(entries));
  const kernel = { series, version, release, recipe: RECIPE };
  await writeFile(`${folder}/kernel.json`, `${JSON.stringify(kernel, null, 2)}\n`);
  await rm(tree, { recursive: true });
  return { ...kernel, folder };
}

/** Every usable kernel of the cache. Those made by another recipe are made again, without the network. */
export async function cachedKernels(context: Context): Promise<Kernel[]> {
  const home = kernelsFolder(context);
  if (!existsSync(home)) return [];
  const kernels: Kernel[] = [];
  for (const name of readdirSync(home)) {
    const folder = `${home}/${name}`;
    if (!existsSync(`${folder}/kernel.json`)) continue;
    const kernel = { ...JSON.parse(readFileSync(`${folder}/kernel.json`, 'utf8')), folder } as Kernel;
    const current = kernel.recipe === RECIPE;
    kernels.push(current ? kernel : await buildKernel(context, folder, kernel.series, kernel.version));
  }
  return kernels;
}

export const kernelsFolder = (context: Context): string => `${context.cache}/linux`;

/**
 * Takes what qemu boots out of a package's kernel. That of arm64 may be it already. Of x86 it is the ELF file in a bzImage: booting that one (qemu does PVH) spares the guest its unpacking,
 * which is slow under emulation. See "The Linux/x86 Boot Protocol" in the kernel's documentation.
 */
async function extractKernel(context: Context, image: Buffer): Promise<Buffer> {
  if (image.toString('latin1', 0x38, 0x3c) === 'ARMd') return image;
  const setupSectors = image.readUInt8(0x1f1) || 4;
  const start = (setupSectors + 1) * 512 + image.readUInt32LE(0x248);
  const end = start + image.readUInt32LE(0x24c);
  // The last four bytes are the unpacked size, which the unpackers would take for a second stream.
  const kernel = await decompress(context, image.subarray(start, end - 4));
  if (kernel.length !== image.readUInt32LE(end - 4) || kernel.toString('latin1', 1, 4) !== 'ELF') {
    throw new Error('the kernel image holds no ELF file that this can unpack');
  }
  return kernel;
}

/** The wanted modules and what they depend on, unpacked, with a list in the order of loading. */
async function moduleClosure(context: Context, files: readonly string[]): Promise<Entry[]> {
  const byName = new Map(files.map((path) => [moduleName(path), path]));
  const entries = new Map<string, Entry>();
  const add = async (name: string) => {
    const path = byName.get(name);
    if (path === undefined || entries.has(name)) return;
    const data = await decompress(context, readFileSync(path));
    // The .modinfo section is a row of strings such as "depends=a,b".
    const depends = /\0depends=([^\0]*)\0/.exec(data.toString('latin1'))?.[1] ?? '';
    for (const needed of depends.split(',').filter((word) => word !== '')) await add(needed);
    entries.set(name, file(`modules/${name}.ko`, data));
  };
  for (const name of MODULES) await add(name);
  return [...entries.values(), file('modules/order', [...entries.keys(), ''].join('\n'))];
}

function moduleName(path: string): string {
  return (path.split('/').at(-1) ?? '').replace(/\.ko(\.\w+)?$/, '').replaceAll('-', '_');
}
