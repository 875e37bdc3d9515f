import { mkdirSync } from 'node:fs';
import { CHROMIUM, ENGINES, FIREFOX } from '../../scripts/engines.ts';
import { PHOTO_LIMITS, withinLimits } from '../../src/domain/limits.ts';
import { expect } from '../e2e/support.ts';
import { hostileFiles, type HostileFile } from '../hostile/files.ts';
import { noisyBases } from '../hostile/noise.ts';
import { needs, test } from './support.ts';
import { Widget } from './widget.ts';

/** An engine without a GPU, on a machine that others use as well. */
test.setTimeout(300_000);
const JOURNEY_MS = 200_000;

const SCREENS = 'test-results/screens/engines';
mkdirSync(SCREENS, { recursive: true });

for (const engine of ENGINES) {
  test(`${engine.name}: the whole journey under the strict policy, and nothing is left`, async ({
    host,
    openIn,
  }) => {
    needs(engine);
    const page = await openIn(engine.name, '/?provider=identifai&mode=relay');
    const widget = new Widget(page);
    const began = Date.now();
    const times: string[] = [];
    const end = await widget.run(JOURNEY_MS, async (state) => {
      times.push(`${state} ${((Date.now() - began) / 1000).toFixed(1)}`);
      const name = state.replaceAll(' ', '-');
      await page.screenshot(`${SCREENS}/${engine.name.toLowerCase()}-${name}.png`);
    });
    console.log(`  ${engine.name}, s: ${times.join(', ')}`);
    expect({ end, error: await widget.detail('kyc-error') }).toEqual({ end: 'done', error: null });
    expect(await widget.detail('kyc-rung'), 'all is judged in a worker').toBeNull();
    const result = await widget.detail('kyc-complete');
    expect(result).toMatchObject({ provider: 'identifai', verified: true });

    const photos = await widget.photos();
    expect(photos.map(({ step, type }) => `${step} ${type}`)).toEqual([
      'selfie image/jpeg',
      'ktp image/jpeg',
    ]);
    for (const photo of photos) {
      const limits = PHOTO_LIMITS.identifai[photo.step];
      expect(withinLimits(photo, limits), `${photo.step} is ${photo.width}x${photo.height}`).toBe(true);
      expect(photo.jpeg.length).toBeLessThanOrEqual(limits.maxBytes);
    }
    const received = await fetch(`${host.url}sandbox/received/${result?.refNumber ?? ''}`);
    const { requests } = (await received.json()) as { requests: { images: { bytes: number }[] }[] };
    expect(requests, 'one submission, sent once').toHaveLength(1);
    expect(requests[0]?.images.toSorted((a, b) => a.bytes - b.bytes)).toMatchObject(
      photos
        .map(({ width, height, jpeg }) => ({ width, height, bytes: jpeg.length, decoded: true }))
        .toSorted((a, b) => a.bytes - b.bytes),
    );

    expect(await widget.remove()).toEqual({ tracks: 0, workers: 0 });
    expect(await widget.troubles()).toEqual({ complaints: [], violations: [] });
    expect(page.console).toEqual([]);
    expect(host.reports).toEqual([]);
  });
}

/** HOSTILE=all: all of them in each engine. */
const isPicked = ({ needsDecoder = false }: HostileFile, place: number): boolean =>
  process.env['HOSTILE'] === 'all' || needsDecoder || place % 8 === 0;

for (const engine of ENGINES) {
  test(`${engine.name}: hostile files are refused, and the page lives on`, async ({ host, openIn }) => {
    needs(engine);
    const files = (await hostileFiles(noisyBases())).filter(isPicked);
    host.files = files.map(({ bytes }) => bytes);
    const page = await openIn(engine.name, '/?provider=identifai&mode=relay');
    const widget = new Widget(page);
    await widget.waitFor(['start'], 30_000);
    await widget.loseCamera();
    await widget.press('start');
    await widget.waitFor(['failed'], 60_000);
    const wrong: string[] = [];
    for (const [place, { told, type, code }] of files.entries()) {
      if ((await widget.waitFor(['failed', 'choosing'], 30_000)).startsWith('failed')) {
        await widget.press('choose');
        await widget.waitFor(['choosing'], 30_000);
      }
      const found = await widget.chooseFile(place, type);
      if (found !== code) wrong.push(`${told}: ${found} in place of ${code}`);
      if (found !== 'taken') continue;
      await widget.waitFor(['review'], 30_000);
      await widget.press('retake');
    }
    console.log(`  ${engine.name}: ${files.length - wrong.length} of ${files.length} hostile files refused`);
    expect(wrong).toEqual([]);
    expect(await widget.troubles()).toEqual({ complaints: [], violations: [] });
    expect(await widget.remove()).toEqual({ tracks: 0, workers: 0 });
  });
}

test('the policy of page and worker is the strict one', async ({ request, host }) => {
  for (const path of ['', 'kyc/assets/worker.js']) {
    const policy = (await request.get(host.url + path)).headers()['content-security-policy'] ?? '';
    const directives = new Map(
      policy.split(';').map((directive) => {
        const [name = '', ...values] = directive.trim().split(/\s+/);
        return [name, values] as const;
      }),
    );
    expect(directives.get('default-src')).toEqual(["'none'"]);
    expect(directives.get('script-src')).toEqual(["'self'", "'wasm-unsafe-eval'"]);
    expect(directives.get('style-src')).toEqual(["'self'"]);
    expect(directives.get('require-trusted-types-for')).toEqual(["'script'"]);
    expect(policy).not.toMatch(/unsafe-(inline|eval|hashes)'(?<!'wasm-unsafe-eval')|\*|https?:/);
  }
});

for (const engine of [CHROMIUM, FIREFOX]) {
  test(`${engine.name}: a breach of the policy, in the page or in the worker, does not pass unseen`, async ({
    host,
    openIn,
  }) => {
    needs(engine);
    host.workerPolicy = (policy) => policy.replace(/connect-src [^;]*/, "connect-src 'none'");
    const page = await openIn(engine.name, '/?provider=identifai&mode=relay');
    const widget = new Widget(page);
    await widget.waitFor(['start'], 30_000);
    expect(host.reports).toEqual([]);

    await page.evaluate(`void (new Image().src = 'https://elsewhere.test/')`);
    await page.evaluate(`document.body.setAttribute('style', 'color: red')`);
    await page.evaluate(`(() => { try { document.body.innerHTML = '<p>'; } catch {} })()`);
    await page.evaluate(`import('https://elsewhere.test/').catch(() => null)`);
    const broken = ['img-src', 'require-trusted-types-for', 'script-src-elem', 'style-src-attr'];
    const seen = async (): Promise<string[]> => {
      const { violations } = await widget.troubles();
      // Each counts twice: the page brings the policy in a meta element as well.
      return [...new Set(violations.map((told) => told.split(' ')[0] ?? ''))].toSorted();
    };
    await expect.poll(seen).toEqual(broken);

    await widget.press('start');
    const worker = `${host.url}kyc/assets/worker.js`;
    const reportedOf = (isWorker: boolean): string[] =>
      host.reports
        .filter((report) => (report['document-uri'] === worker) === isWorker)
        .map((report) => report['violated-directive'])
        .toSorted();
    // What the worker may not fetch it asks for once more.
    await expect.poll(() => [...new Set(reportedOf(true))], { timeout: 30_000 }).toEqual(['connect-src']);
    expect(reportedOf(false)).toEqual(broken);
  });
}
