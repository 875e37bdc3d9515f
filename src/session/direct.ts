import { CaptureError, type Result, type Step } from '../domain/result.ts';
import type { TokenAnswer } from '../providers/contract.ts';
import { buildIdentifaiRequest, clientRefOf, identifai, toDataUrl } from '../providers/identifai.ts';
import { analyticOf, profileOf, type Wanted } from '../providers/profiles.ts';
import type { Outcome, ProviderAnswer } from '../providers/provider.ts';
import { combined } from '../providers/reading.ts';
import { checkRetired } from '../providers/retired.ts';
import type { Line } from './line.ts';

/** Providers whose token is meant for a browser. */
const DIRECT = new Map([['identifai', identifai]]);

/**
 * Sends the photos to the provider itself, one analytic after the other, and waits for all results.
 * @param first the submission token for the first request; each further one asks for its own
 */
export async function submitDirect(line: Line, wanted: Wanted, first: TokenAnswer): Promise<Result> {
  const { request } = line;
  const provider = DIRECT.get(request.provider);
  if (!provider || !request.providerBase) {
    throw new CaptureError(
      'configuration-invalid',
      provider
        ? 'the token endpoint named no upload_url and the page named no provider for direct mode'
        : `the token endpoint named no upload_url, and ${request.provider} works through a relay only`,
    );
  }
  checkRetired(request.providerBase);
  const base = new URL(request.providerBase.href.replace(/\/?$/, '/'));
  const dataUrls = new Map<Step, string>();
  for (const [step, photo] of request.photos) {
    dataUrls.set(step, toDataUrl(new Uint8Array(await photo.arrayBuffer())));
  }
  const questions = wanted.names.map((name, place) => {
    const analytic = analyticOf(profileOf(request.provider), name);
    const clientRef = clientRefOf(request.refNumber, place);
    const body = JSON.stringify(buildIdentifaiRequest(analytic, dataUrls, clientRef, request.faceId));
    const read = (answer: ProviderAnswer): Outcome | null => {
      const outcome = provider.read(answer, { analytic, refNumber: request.refNumber });
      return outcome.kind === 'error' && outcome.error.code === 'token-expired' ? null : outcome;
    };
    return { name, analytic, body, read };
  });

  const results = new Map<string, Result>();
  const jobs = new Map<string, URL>();
  // A token is for one use, so every further request needs another one.
  let unused: TokenAnswer | null = first;
  const takeToken = async (): Promise<TokenAnswer> => {
    const token = unused ?? (await line.askToken());
    unused = null;
    return token;
  };
  for (const { name, body, read } of questions) {
    const submitted = await line.withToken(await takeToken(), async ({ submission_token }) => {
      const headers = { authorization: submission_token, 'content-type': 'application/json' };
      const url = new URL(provider.paths.asynchronous + name, base);
      // Nobody there would know it again.
      return read(await line.upload(url, () => headers, body, false));
    });
    if (submitted.kind !== 'pending') results.set(name, settle(submitted));
    else jobs.set(name, new URL(provider.paths.job + encodeURIComponent(submitted.job), base));
  }
  const whole = (): Result | null => {
    if (jobs.size > 0) return null;
    return combined(
      questions.flatMap(({ name, analytic }) => {
        const result = results.get(name);
        return result ? [{ name, analytic, result }] : [];
      }),
    );
  };

  return (
    whole() ??
    line.pollUntil(async () => {
      for (const { name, read } of questions) {
        const job = jobs.get(name);
        if (!job) continue;
        const polled = await line.withToken(await line.askToken(), async (offered) => {
          unused = offered;
          return read(
            await line.poll(job, async () => ({ authorization: (await takeToken()).submission_token })),
          );
        });
        if (polled.kind === 'pending') continue;
        results.set(name, settle(polled));
        jobs.delete(name);
      }
      return whole();
    })
  );
}

function settle(outcome: Exclude<Outcome, { kind: 'pending' }>): Result {
  if (outcome.kind === 'error') throw outcome.error;
  return outcome.result;
}
