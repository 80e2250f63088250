import { expect, test } from 'vitest';
import { archOf, compareSeries, fits, seriesOf } from './series.ts';

test.each([
  ['linux-image-6.12.117+deb13-cloud-amd64', '6.12', 'x64'],
  ['linux-image-5.10.0-46-cloud-amd64', '5.10', 'x64'],
  ['linux-image-6.12.117+deb13-cloud-arm64:arm64', '6.12-arm64', 'arm64'],
] as const)('%s is of the series %s, for %s', (name, series, arch) => {
  expect(seriesOf(name)).toBe(series);
  expect(archOf(series)).toBe(arch);
});

test.each([
  ['6.12', '6.12', true],
  ['6.12-arm64', '6.12', false],
  ['6.12', '6.12-arm64', false],
  ['6.12-arm64', '6.12-arm64', true],
  ['7.2', '7.x', true],
  ['7.2-arm64', '7.x', false],
  ['7.2-arm64', '7.x-arm64', true],
  ['7.2', '7.x-arm64', false],
  ['6.7', '7.x', false],
])('a kernel %s where %s is wanted: %s', (series, wanted, fit) => {
  expect(fits(series, wanted)).toBe(fit);
});

test('series are in the order of their numbers, x64 before arm64', () => {
  const sorted = ['5.10', '6.1', '6.12', '7.2', '6.1-arm64', '6.12-arm64'];
  expect([...sorted].reverse().sort(compareSeries)).toEqual(sorted);
});
