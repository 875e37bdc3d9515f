import type { CapturePage, OpenOptions } from '../../src/playwright/index.ts';
import { ORIGIN } from './server.ts';
import { barePage, expect, expectFailure, goodScenes, keptIn, SMALL, test } from './support.ts';

/** What gives way between the accepted photo and the answer, row by row as in the README's table of faults. */

const CARD = { provider: 'identifai', 'token-endpoint': '/kyc/token', steps: 'ktp', analytics: 'ocr-ktp' };

function onePhoto(
  attributes: Readonly<Record<string, string>> = {},
  prepare?: OpenOptions['prepare'],
): OpenOptions {
  return {
    ...SMALL,
    scenes: goodScenes(),
    ...barePage({ ...CARD, ...attributes }, {}, prepare),
  };
}

/** As far as the question whether the photo is good. */
async function untilReview(capture: CapturePage): Promise<void> {
  await capture.press('start');
  await capture.waitForStep('ktp', 'review');
}

async function submissionsOf(capture: CapturePage): Promise<number> {
  const reference = String((await capture.waitForEvent('kyc-complete')).detail['refNumber']);
  const received: unknown = await (await fetch(`${ORIGIN}/sandbox/received/${reference}`)).json();
  return (received as { requests: unknown[] }).requests.length;
}

const NOTHING = { records: 0, salts: 0 };

test('offline while sending: the person is told, and the photo goes out once the network is back', async ({
  open,
}) => {
  const capture = await open('/bare', onePhoto());
  await untilReview(capture);
  await capture.context.setOffline(true);
  await capture.press('use');
  await expect
    .poll(async () => (await capture.events('kyc-progress')).at(-1)?.detail['phase'])
    .toBe('offline');
  await expect(capture.element.locator('[role="status"]').first()).toHaveText(/koneksi/);
  await capture.context.setOffline(false);
  expect((await capture.result()).document?.type).toBe('ktp');
  expect(await submissionsOf(capture)).toBe(1);
  expect(await capture.events('kyc-error')).toEqual([]);
  await expect.poll(() => keptIn(capture)).toEqual(NOTHING);
});

test('answer to the upload lost: sent again under the same key, received once', async ({ open }) => {
  let lost = 0;
  const capture = await open(
    '/bare',
    onePhoto({}, async (page) => {
      await page.route('**/kyc/submissions', async (route) => {
        if (lost++ > 0) return route.fallback();
        await route.fetch();
        return route.abort('connectionreset');
      });
    }),
  );
  await untilReview(capture);
  await capture.press('use');
  await capture.result();
  expect(lost).toBe(2);
  expect(await submissionsOf(capture)).toBe(1);
});

test('reload after the first of two photos: the journey goes on with the second', async ({ open }) => {
  // The demo sets its attributes after the element is there, and forbids all that a strict page forbids.
  const capture = await open('/?provider=identifai&mode=relay', {
    ...SMALL,
    scenes: goodScenes(),
  });
  await capture.press('start');
  await capture.waitForStep('selfie', 'review');
  await capture.press('use');
  await capture.waitForStep('ktp', 'live');
  expect(await keptIn(capture)).toEqual({ records: 1, salts: 1 });
  await capture.page.reload();
  await expect(capture.button('forget')).toBeVisible();
  await capture.press('start');
  await capture.waitForStep('ktp', 'review');
  expect(await capture.run()).toMatchObject({ ended: 'done', result: { verified: true } });
  expect(await submissionsOf(capture)).toBe(1);
  await expect.poll(() => keptIn(capture)).toEqual(NOTHING);
});

test('reload while sending: nothing is photographed again, and the sandbox receives one submission', async ({
  open,
}) => {
  let held = true;
  const capture = await open(
    '/bare',
    onePhoto({}, async (page) => {
      await page.route('**/kyc/submissions', async (route) => {
        if (!held) return route.fallback();
        // The relay has it, the page goes before it hears so.
        await route.fetch();
      });
    }),
  );
  await untilReview(capture);
  await capture.press('use');
  await expect
    .poll(async () => (await capture.events('kyc-progress')).at(-1)?.detail['phase'])
    .toMatch(/uploading|waiting/);
  await new Promise((later) => setTimeout(later, 1000));
  held = false;
  await capture.page.reload();
  await expect(capture.button('forget')).toBeVisible();
  await capture.press('start');
  await capture.result();
  expect(await capture.events('kyc-capture'), 'no photo after the reload').toEqual([]);
  expect(await submissionsOf(capture)).toBe(1);
  await expect.poll(() => keptIn(capture)).toEqual(NOTHING);
});

test('cancelled after a fault: no photo is kept', async ({ open }) => {
  const capture = await open('/bare', onePhoto({ 'token-endpoint': '/nowhere' }));
  await untilReview(capture);
  await capture.press('use');
  await expectFailure(capture, 'token-failed');
  expect(await keptIn(capture)).toEqual({ records: 1, salts: 1 });
  await capture.press('cancel');
  await capture.waitForState('cancelled');
  await expect.poll(() => keptIn(capture)).toEqual(NOTHING);
});

for (const [where, attributes] of [
  ['the page wants nothing kept', { persist: 'none' }],
  ['in a kiosk', { kiosk: '' }],
] as const) {
  test(`${where}: no photo is stored at any time`, async ({ open }) => {
    const capture = await open('/bare', onePhoto({ ...attributes, 'token-endpoint': '/nowhere' }));
    await untilReview(capture);
    await capture.press('use');
    await expectFailure(capture, 'token-failed');
    expect(await keptIn(capture)).toEqual(NOTHING);
    expect(await capture.page.evaluate(() => localStorage.length)).toBe(0);
  });
}

test('storage forbidden: the journey goes on from memory', async ({ open }) => {
  const capture = await open(
    '/bare',
    onePhoto({}, async (page) => {
      await page.addInitScript(() => {
        for (const name of ['indexedDB', 'localStorage', 'sessionStorage']) {
          Object.defineProperty(window, name, {
            get: () => {
              throw new DOMException('SPECIMEN', 'SecurityError');
            },
          });
        }
      });
    }),
  );
  expect(await capture.run()).toMatchObject({ ended: 'done' });
  expect(await submissionsOf(capture)).toBe(1);
});
