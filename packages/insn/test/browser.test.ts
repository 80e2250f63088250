import { expect, test } from 'vitest';
import { bundle } from './bundle.ts';
import { launchChromium, noChromium } from './chromium.ts';
import { exercise } from './exercise.ts';

if (noChromium) console.log(`not tested in a browser: ${noChromium}`);

/** What is served at an address that no one has, so that the page is one of the web and not of a file. */
const PAGE = "<!doctype html><script type='module'>window.done = await import('/insn.js');</script>";

test.skipIf(noChromium)('does in Chromium what it does in Node', async () => {
  const { code } = await bundle(exercise());
  const here = (await import(`data:text/javascript,${encodeURIComponent(code)}`)) as { result: string };
  const browser = await launchChromium();
  try {
    console.log(`Chromium ${browser.version()}`);
    const page = await browser.newPage();
    const errors: Error[] = [];
    page.on('pageerror', (error) => errors.push(error));
    await page.route('http://insn.test/', (route) => route.fulfill({ contentType: 'text/html', body: PAGE }));
    await page.route('http://insn.test/insn.js', (route) =>
      route.fulfill({ contentType: 'text/javascript', body: code }),
    );
    await page.goto('http://insn.test/');
    await expect.poll(() => page.evaluate('window.done !== undefined') || errors.length > 0).toBe(true);
    expect(errors).toEqual([]);
    expect(await page.evaluate('window.done.result')).toBe(here.result);
  } finally {
    await browser.close();
  }
});
