import { chromium } from '@playwright/test';
import { chromiumArguments, findChromium } from '../../src/playwright/chromium.ts';
import { expect, test } from './support.ts';

/** The browser that the driver launches. */

/** Every feature that a browser with these arguments leaves off: the last list is the one that counts. */
const disabledBy = (given: readonly string[]): readonly string[] =>
  given
    .flatMap((argument) => /^--disable-features=(.*)/.exec(argument)?.[1] ?? [])
    .at(-1)
    ?.split(',') ?? [];

test('it leaves off all that Playwright leaves off, whose list it replaces', async () => {
  const executablePath = findChromium();
  const server = await chromium.launchServer(executablePath ? { executablePath } : {});
  const playwrights = disabledBy(server.process().spawnargs);
  await server.close();
  expect(playwrights).not.toEqual([]);
  expect(disabledBy(chromiumArguments('none'))).toEqual(expect.arrayContaining([...playwrights]));
});

test('it loads nothing but the page, which has the processor for itself', async ({ captureBrowser }) => {
  const { browser } = captureBrowser;
  const page = await browser.newPage();
  await page.waitForTimeout(2000);
  const devTools = await browser.newBrowserCDPSession();
  const { targetInfos } = await devTools.send('Target.getTargets', { filter: [{}] });
  expect(targetInfos.map(({ url }) => url).filter((url) => url !== 'about:blank')).toEqual([]);
  await page.close();
});
