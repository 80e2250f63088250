import { expect, test } from 'vitest';
import { formatSources, kernelSources, parseDeb822, parseOneLine } from './sources.ts';

const KEY = '/usr/share/keyrings/debian-archive-keyring.gpg';

test('reads both spellings of an apt source alike', () => {
  const oneLine = parseOneLine(`# a comment
deb [arch=amd64 signed-by=${KEY}] http://mirror.test/debian bookworm main contrib # more
deb-src http://mirror.test/debian bookworm main
deb http://mirror.test/debian-security bookworm-security main`);
  const deb822 = parseDeb822(`Types: deb deb-src
URIs: http://mirror.test/debian
# a comment
Suites: bookworm
Components: main
 contrib
Signed-By: ${KEY}

Types: deb
URIs: http://mirror.test/debian-security
Suites: bookworm-security
Components: main

Types: deb
Enabled: no
URIs: http://mirror.test/other
Suites: bookworm
Components: main
`);
  expect(deb822).toEqual(oneLine);
  expect(deb822[0]).toEqual({
    uri: 'http://mirror.test/debian',
    suites: ['bookworm'],
    components: ['main', 'contrib'],
    signedBy: KEY,
  });
});

test('keeps a key that is written out in the entry', () => {
  const text = 'Types: deb\nURIs: http://a.test/debian\nSuites: trixie\nComponents: main\nSigned-By:\n -----\n .\n key';
  const sources = parseDeb822(text);
  expect(sources[0]?.signedBy).toBe('\n -----\n .\n key');
  expect(parseDeb822(formatSources(sources))).toEqual(sources);
});

test('takes the Debian archive, not a vendor whose suites are named alike', () => {
  const [main, security] = kernelSources(
    parseOneLine(`deb http://vendor.test/debian/12/prod bookworm main
deb http://vendor.test/linux/debian bookworm stable
deb [signed-by=${KEY}] http://mirror.test/debian bookworm main
deb [signed-by=${KEY}] http://other.test/debian-security bookworm-security main`),
  );
  expect(main).toMatchObject({ uri: 'http://mirror.test/debian', signedBy: KEY });
  expect(main?.suites).toContain('trixie-backports');
  expect(security?.uri).toBe('http://other.test/debian-security');
  expect(security?.suites).toContain('bullseye-security');
});

test.each([
  ['deb http://mirror.test/debian/ trixie main'],
  ['deb http://mirror.test/debian-security trixie-security main'],
])('finds the neighbour of the one archive that is listed: %s', (line) => {
  const uris = kernelSources(parseOneLine(line)).map(({ uri }) => uri.replace(/\/$/, ''));
  expect(uris).toEqual(['http://mirror.test/debian', 'http://mirror.test/debian-security']);
});

test('says so when there is no Debian archive', () => {
  expect(() => kernelSources(parseOneLine('deb http://a.test/ubuntu noble main'))).toThrow(/no Debian archive/);
});
