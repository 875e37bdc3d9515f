import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { registerProvider } from '../../src/providers/profiles.ts';
import { createApp } from '../../src/server/index.ts';
import { submit } from '../../src/session/submit.ts';
import { PAGE, photos, QUICK, request, SECRETS } from './support.ts';
import { createSender, profile } from './third-provider.ts';

/** A bank's own provider, made known as `src/providers/README.md` says. */
function specimen(answer: () => Response) {
  registerProvider(profile);
  const asked: Request[] = [];
  const sender = createSender('SPECIMEN-third-key', (input, init) => {
    asked.push(new Request(input, init));
    return Promise.resolve(answer());
  });
  const app = createApp({ ...QUICK, relay: { ...QUICK.relay, senders: [sender] } });
  const submission = request(app, { provider: 'specimen', refNumber: 'SPECIMEN01' });
  return { submission, asked };
}

test('a third provider is a table and two functions of less than 40 lines', () => {
  const text = readFileSync(new URL('third-provider.ts', import.meta.url), 'utf8');
  expect(text.split('\n').filter((line) => line !== '' && !line.startsWith('import ')).length).toBeLessThan(
    40,
  );
});

test.each([
  ['true', true],
  ['"False"', false],
])('its answer %s comes through the relay as a result', async (word, matched) => {
  const { submission, asked } = specimen(() => new Response(`{"same":${word},}`));
  expect(await submit(submission)).toEqual({
    provider: 'specimen',
    verified: matched,
    liveness: null,
    match: { matched, similarity: null, threshold: null },
    document: null,
    transactionId: null,
    refNumber: 'SPECIMEN01',
    raw: { same: matched ? true : 'False' },
  });
  expect(asked).toHaveLength(1);
  expect([...((await asked[0]?.formData()) ?? new FormData()).keys()]).toEqual(['selfie', 'ktp']);
});

test.each([
  ['no verdict', () => new Response('{"same":""}'), 'answer-unreadable'],
  ['an HTTP error', () => new Response('{"same":true}', { status: 500 }), 'provider-failed'],
  ['its key', () => new Response('SPECIMEN-third-key'), 'answer-unreadable'],
])('%s is an error as with any other, and its key stays in the relay', async (_, answer, code) => {
  const { submission } = specimen(answer);
  await expect(submit(submission)).rejects.toMatchObject({ code });
  expect(JSON.stringify(submission.exchanges)).not.toContain('SPECIMEN-third-key');
});

test('it has no direct mode, and takes its own numbers, photos and analytics only', async () => {
  const { submission, asked } = specimen(() => new Response('{"same":true}'));
  const changes = [
    { tokenEndpoint: new URL('/kyc/token/direct', PAGE), providerBase: new URL(PAGE) },
    { refNumber: 'specimen-01' },
    { analytics: ['facecompareliveness'] },
    { steps: ['selfie'] as const, photos: photos() },
  ];
  for (const change of changes)
    await expect(submit({ ...submission, ...change })).rejects.toMatchObject({
      code: 'configuration-invalid',
    });
  expect(asked).toEqual([]);
});

test('a relay without a sender for it has no account', async () => {
  registerProvider(profile);
  const submission = request(createApp(QUICK), { provider: 'specimen', refNumber: 'SPECIMEN01' });
  await expect(submit(submission)).rejects.toMatchObject({
    code: 'configuration-invalid',
    message: 'this relay has no account with the provider',
  });
  expect(JSON.stringify(submission.exchanges)).not.toContain(SECRETS.key);
});
