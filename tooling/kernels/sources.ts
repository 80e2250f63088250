// The machine's own apt configuration tells where the Debian archive is and which keys sign it.
// No address is written down here: a farm with a local mirror works the same as a laptop.
import { existsSync, readdirSync, readFileSync } from 'node:fs';

/** One entry of sources.list, in either of apt's two spellings. */
interface Source {
  readonly uri: string;
  readonly suites: readonly string[];
  readonly components: readonly string[];
  /** A path, a fingerprint, or a whole armoured key; undefined means apt's trusted keys. */
  readonly signedBy: string | undefined;
}

/** Releases of which kernels are wanted. A new Debian release is added here. */
const RELEASES = ['bullseye', 'bookworm', 'trixie'];
/** What the machine may call a Debian suite in its own configuration. */
const DEBIAN_SUITE = /^(bullseye|bookworm|trixie|forky|duke|sid|(old){0,2}stable|testing|unstable)$/;
const SECURITY_SUITE = /^[a-z]+(-security|\/updates)$/;

/** Reads every enabled `deb` entry of the machine. */
export function readSources(etc = '/etc/apt'): Source[] {
  const parts = `${etc}/sources.list.d`;
  const names = existsSync(parts) ? readdirSync(parts).sort() : [];
  const files = [`${etc}/sources.list`, ...names.map((name) => `${parts}/${name}`)];
  return files.filter(existsSync).flatMap((file) => {
    if (file.endsWith('.sources')) return parseDeb822(readFileSync(file, 'utf8'));
    return file.endsWith('.list') ? parseOneLine(readFileSync(file, 'utf8')) : [];
  });
}

/** The one-line form: `deb [signed-by=/a/key.gpg] address suite component…` */
export function parseOneLine(text: string): Source[] {
  const sources: Source[] = [];
  for (const line of text.split('\n')) {
    const match = /^\s*deb\s+(?:\[([^\]]*)\]\s*)?(\S+)\s+(\S+)\s*([^#]*)/.exec(line);
    if (!match) continue;
    const [, options = '', uri = '', suite = '', components = ''] = match;
    const signedBy = /(?:^|\s)signed-by=(\S+)/i.exec(options)?.[1];
    sources.push({ uri, suites: [suite], components: words(components), signedBy });
  }
  return sources;
}

/** The deb822 form: stanzas of `Field: value`, where a value goes on in lines that start with a space. */
export function parseDeb822(text: string): Source[] {
  const withoutComments = text.replace(/^#.*\n?/gm, '');
  return withoutComments.split(/\n\s*\n/).flatMap((stanza) => {
    const fields = new Map<string, string>();
    for (const [, name = '', value = ''] of stanza.matchAll(/^([\w-]+):[ \t]*(.*(?:\n[ \t].*)*)/gm)) {
      fields.set(name.toLowerCase(), value.trimEnd());
    }
    const types = words(fields.get('types') ?? '');
    if (!types.includes('deb') || /^(no|false|off|0)$/i.test(fields.get('enabled') ?? '')) return [];
    const suites = words(fields.get('suites') ?? '');
    const components = words(fields.get('components') ?? '');
    const signedBy = fields.get('signed-by');
    return words(fields.get('uris') ?? '').map((uri) => ({ uri, suites, components, signedBy }));
  });
}

/**
 * The entries to ask for kernels: the machine's archive with the suites added that have kernels of other
 * series. When the machine lists only one of the main and the security archive, the other is taken to be
 * its neighbour, as on every mirror that carries both.
 */
export function kernelSources(machine: readonly Source[]): Source[] {
  const debian = machine.filter((source) => source.components.includes('main'));
  const named = (suite: RegExp) => debian.filter((source) => source.suites.some((name) => suite.test(name)));
  // Vendors name their suites after Debian's too: an address that ends in /debian is the better guess.
  const mains = named(DEBIAN_SUITE);
  const main = mains.find((source) => /\/debian\/?$/.test(source.uri)) ?? mains[0];
  const securities = named(SECURITY_SUITE);
  const security = securities.find((source) => /\/debian-security\/?$/.test(source.uri)) ?? securities[0];
  const known = main ?? security;
  if (!known) throw new Error('apt on this machine lists no Debian archive to get kernels and qemu from');
  const mainUri = main?.uri ?? known.uri.replace(/-security\/?$/, '');
  const securityUri = security?.uri ?? known.uri.replace(/\/?$/, '-security');
  const newer = RELEASES.slice(1);
  const components = ['main'];
  return [
    {
      uri: mainUri,
      suites: [...newer, ...newer.map((name) => `${name}-backports`), 'experimental'],
      components,
      signedBy: known.signedBy,
    },
    {
      uri: securityUri,
      suites: RELEASES.map((name) => `${name}-security`),
      components,
      signedBy: (security ?? known).signedBy,
    },
  ];
}

/** Writes entries in the deb822 form. */
export function formatSources(sources: readonly Source[]): string {
  const stanzas = sources.map((source) =>
    [
      'Types: deb',
      `URIs: ${source.uri}`,
      `Suites: ${source.suites.join(' ')}`,
      `Components: ${source.components.join(' ')}`,
      ...(source.signedBy === undefined ? [] : [`Signed-By: ${source.signedBy}`]),
      // Archived and seldom updated suites outlive the date in their Release file; they stay signed.
      'Check-Valid-Until: no',
    ].join('\n'),
  );
  return `${stanzas.join('\n\n')}\n`;
}

function words(text: string): string[] {
  return text.split(/\s+/).filter((word) => word !== '');
}
