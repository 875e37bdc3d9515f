import { PHOTO_LIMITS } from '../../src/domain/limits.ts';
import { IDENTIFAI_ANALYTICS, type ProviderProfile } from '../../src/providers/profiles.ts';
import { readBoolean, toResult, unreadable } from '../../src/providers/reading.ts';
import { parseBody, type Provider } from '../../src/providers/provider.ts';
import type { Sender } from '../../src/server/index.ts';

export const profile: ProviderProfile = {
  id: 'specimen',
  analytics: { compare: { ...IDENTIFAI_ANALYTICS['face-match'], parameters: [] } },
  defaultAnalytics: ['compare'],
  limits: PHOTO_LIMITS.eendigo,
};
const provider: Provider = {
  id: profile.id,
  bases: { production: 'https://specimen.example', test: null },
  paths: {},
  thresholds: { liveness: null, similarity: null },
  refNumber: /^[A-Z0-9]{6,64}$/,
  contextFields: [],
  polling: null,
  read(answer, asked) {
    const raw = parseBody(answer.body) as { same?: unknown } | null | undefined;
    const matched = answer.status === 200 ? readBoolean(raw?.same) : null;
    if (matched === null) return unreadable(profile.id, answer);
    const checks = { liveness: null, match: { matched, similarity: null, threshold: null }, document: null };
    return toResult(profile.id, asked, checks, { transactionId: null, raw });
  },
};
export const createSender = (key: string, ask: typeof fetch): Sender => ({
  provider,
  secrets: [key],
  async submit(question, { photos, refNumber }) {
    const body = new FormData();
    for (const [step, jpeg] of photos) body.append(step, new Blob([jpeg]));
    const headers = { 'x-key': key, 'x-reference': refNumber };
    const answer = await ask(provider.bases.production, { method: 'POST', body, headers });
    return provider.read({ status: answer.status, body: await answer.text(), header: () => null }, question);
  },
  poll: () => Promise.reject(new Error('it answers at once')),
});
