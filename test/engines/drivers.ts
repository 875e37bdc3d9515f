import { spawn } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { setTimeout as later } from 'node:timers/promises';
import puppeteer from 'puppeteer-core';
import { Builder, Capabilities, type WebDriver } from 'selenium-webdriver';
import type { CaptureBrowser, OpenOptions } from '../../src/playwright/index.ts';
import type { WebKit } from '../../scripts/engines.ts';

/** A page of any engine. What the engines share is that they run a script and show a picture. */
export interface EnginePage {
  /** The value of an expression, awaited; it has to survive JSON. */
  evaluate<T>(expression: string): Promise<T>;
  screenshot(path: string): Promise<void>;
  /** What the engine's own remote control heard on the console; nothing where it does not listen. */
  readonly console: readonly string[];
  close(): Promise<void>;
}

/** Size of the page, px. */
const VIEWPORT = { width: 1280, height: 800 };

/** Through the project's own driver, whose record and camera come before the host's. */
export async function openChromium(
  browser: CaptureBrowser,
  url: string,
  options: OpenOptions,
): Promise<EnginePage> {
  const capture = await browser.open(url, { viewport: VIEWPORT, camera: 'canvas', ...options });
  return {
    evaluate: (expression) => capture.page.evaluate(expression),
    screenshot: (path) => capture.screenshot(path),
    console: capture.console,
    close: () => capture.close(),
  };
}

/** Firefox, over WebDriver BiDi. Without a screen it has no WebGL. */
export async function openFirefox(path: string, display: string, url: string): Promise<EnginePage> {
  const browser = await puppeteer.launch({
    browser: 'firefox',
    executablePath: path,
    headless: false,
    defaultViewport: VIEWPORT,
    env: { ...process.env, DISPLAY: display },
  });
  const page = await browser.newPage();
  const said: string[] = [];
  page.on('console', (message) => said.push(`${message.type()}: ${message.text()}`));
  page.on('pageerror', (error) => said.push(`uncaught: ${String(error)}`));
  await page.goto(url);
  return {
    evaluate: <T>(expression: string) => page.evaluate(expression) as Promise<T>,
    screenshot: (path) => page.screenshot({ path: path }).then(() => undefined),
    console: said,
    close: () => browser.close(),
  };
}

/** WebKitGTK's MiniBrowser, over plain WebDriver. */
export async function openWebKit(webKit: WebKit, display: string, url: string): Promise<EnginePage> {
  const port = await freePort();
  const server = spawn(webKit.driver, [`--port=${port}`], {
    stdio: 'ignore',
    env: { ...process.env, DISPLAY: display },
  });
  let driver: WebDriver | undefined;
  const close = async (): Promise<void> => {
    await driver?.quit().catch(() => undefined);
    server.kill();
  };
  try {
    const wanted = new Capabilities({
      browserName: 'MiniBrowser',
      'webkitgtk:browserOptions': { binary: webKit.browser, args: ['--automation'] },
    });
    const address = `http://127.0.0.1:${port}`;
    await answers(`${address}/status`);
    driver = await new Builder().usingServer(address).withCapabilities(wanted).build();
    await driver.manage().setTimeouts({ script: 60_000 });
    await driver
      .manage()
      .window()
      .setRect({ x: 0, y: 0, ...VIEWPORT });
    await driver.get(url);
  } catch (error) {
    await close();
    throw error;
  }
  const driven = driver;
  return {
    evaluate: async <T>(expression: string) => {
      const answer = await driven.executeAsyncScript<{ value: T; error?: string }>(
        `const done = arguments[arguments.length - 1];
         (async () => (${expression}))().then((value) => done({ value }), (error) => done({ error: String(error) }));`,
      );
      if (answer.error !== undefined) throw new Error(answer.error);
      return answer.value;
    },
    screenshot: async (path) => writeFile(path, await driven.takeScreenshot(), 'base64'),
    console: [],
    close,
  };
}

async function answers(url: string): Promise<void> {
  for (let attempt = 0; attempt < 100; attempt++) {
    if (
      await fetch(url).then(
        ({ ok }) => ok,
        () => false,
      )
    )
      return;
    await later(100);
  }
  throw new Error('WebKitWebDriver does not answer.');
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => resolve(port));
    });
  });
}
