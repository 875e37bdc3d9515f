import type { ProviderId } from '../../src/domain/result.ts';
import { SANDBOX_CASES, type SandboxCase } from '../../src/server/sandbox-cases.ts';
import { expect, expectFailure, goodScenes, SMALL, test } from './support.ts';

/** Through the relay; what comes of direct mode, `test/server/cases.test.ts` tells. */
const PROVIDERS: readonly ProviderId[] = ['identifai', 'eendigo'];

/** Repeats and job polls take seconds, more of them on a busy machine; ms. */
const ENDS_WITHIN = 30_000;

/** Cases that end after a long silence; `test/server` plays them on a clock of its own. */
const PATIENT = new Set(['JOBNEVERENDS', 'TOKENNOTHING']);

for (const provider of PROVIDERS) {
  const expectationOf = ({ expected }: SandboxCase): string => expected[provider];
  const refusals = SANDBOX_CASES.filter(
    (entry) => !PATIENT.has(entry.prefix) && !/verified$/.test(expectationOf(entry)),
  );
  const keeps = refusals.filter((entry) => !/^(selfie|ktp)-refused$/.test(expectationOf(entry)));
  const retakes = ['COVERED', 'CARDUNREADABLE'];

  test(`${provider}: every refusal has its own error, and only a refused photo is taken again`, async ({
    open,
  }) => {
    let round = 0;
    const capture = await open(`/?provider=${provider}&mode=relay`, { ...SMALL, scenes: goodScenes() });
    /** The reference number chooses the case; no two submissions share one. */
    const choose = (prefix: string): Promise<void> =>
      capture.element.evaluate(
        (element, reference) => element.setAttribute('ref-number', reference),
        `${prefix}000${++round}`,
      );
    const codes = async (): Promise<unknown[]> =>
      (await capture.events('kyc-error')).map(({ detail }) => detail['code']);

    const [first, ...others] = keeps;
    if (!first) throw new Error('There is no case to play.');
    await choose(first.prefix);
    await capture.run();
    for (const entry of others) {
      await choose(entry.prefix);
      await capture.press('retry');
      await expect
        .poll(async () => (await codes()).length, { message: entry.prefix, timeout: ENDS_WITHIN })
        .toBe(round);
      await expectFailure(capture, expectationOf(entry));
    }
    expect(await codes()).toEqual(keeps.map(expectationOf));
    expect(await capture.photos(), 'no photo was taken twice').toHaveLength(2);

    for (const prefix of retakes) {
      await choose(prefix);
      await capture.press('retry');
      const outcome = await capture.run();
      expect(outcome).toMatchObject({
        ended: 'failed',
        guidance: prefix === 'COVERED' ? ['face-covered'] : [],
      });
    }
    await choose('NOTLIVE');
    await capture.press('retry');
    const outcome = await capture.run();
    expect(outcome).toMatchObject({ ended: 'done', result: { verified: false, liveness: { live: false } } });
    expect(outcome.photos.map(({ step }) => step)).toEqual(['selfie', 'ktp', 'selfie', 'ktp']);
  });
}
