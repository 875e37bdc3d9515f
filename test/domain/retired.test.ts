import { describe, expect, test } from 'vitest';
import { readConfiguration, type RawConfiguration } from '../../src/element/configuration.ts';
import { checkRetired } from '../../src/providers/retired.ts';
import { IDENTIFAI_ANALYTICS } from '../../src/providers/profiles.ts';
import { createIdentifaiClient, createRelay } from '../../src/server/index.ts';
import { submit } from '../../src/session/submit.ts';
import { RETIRED } from '../fixtures/providers.ts';

/* Whatever names a host that was switched off is refused, and told the URL to use. */

const RAW: RawConfiguration = {
  provider: 'identifai',
  analytics: null,
  faceId: null,
  context: {},
  tokenEndpoint: '/kyc/token',
  providerBase: null,
  steps: null,
  refNumber: 'SPECIMEN01',
  assetsBase: null,
  tokenHeaders: {},
  cameraSource: null,
  allow: null,
  thresholds: null,
  straighten: null,
  debug: false,
  assetsIntegrity: null,
  fallback: null,
  persist: null,
  kiosk: false,
};
const PAGE = 'https://page.example/';
const read = (changes: Partial<RawConfiguration>): unknown =>
  readConfiguration({ ...RAW, ...changes }, PAGE, new URL('assets/', PAGE));

const keys = { accessKey: 'a', secretKey: 'b' };
const secret = 'SPECIMEN-relay-secret-SPECIMEN-relay-secret';

/** Every place that takes a URL of a provider. */
const PLACES: readonly (readonly [place: string, name: (url: string) => unknown])[] = [
  ['the URL itself', (url) => checkRetired(new URL(url))],
  ['token-endpoint', (url) => read({ tokenEndpoint: url })],
  ['provider-base', (url) => read({ providerBase: url })],
  ['the relay, for IdentifAI', (base) => createRelay({ secret, identifai: { ...keys, base } })],
  ['the relay, for Eendigo', (base) => createRelay({ secret, eendigo: { key: 'k', tenantCode: 't', base } })],
  ["a server's own client", (base) => createIdentifaiClient({ ...keys, base })],
  [
    'direct mode',
    (url) =>
      submit({
        provider: 'identifai',
        analytics: ['face-liveness-v4'],
        tokenEndpoint: new URL('/kyc/token', PAGE),
        tokenHeaders: {},
        providerBase: new URL(url),
        refNumber: 'SPECIMEN01',
        faceId: null,
        steps: ['selfie'],
        submissionKey: crypto.randomUUID(),
        captureContext: null,
        photos: new Map([['selfie', new Blob(['SPECIMEN'])]]),
        context: {},
        signal: new AbortController().signal,
        onProgress: () => undefined,
        pageOrigin: PAGE,
        online: () => true,
        transport: ({ url: { pathname } }) =>
          pathname === '/kyc/token'
            ? Promise.resolve({ status: 200, body: '{"submission_token":"t"}', header: () => null })
            : Promise.reject(new Error('a photo was sent to a host that is switched off')),
      }),
  ],
];

/** The table's rows, for every analytic and one job. */
const ROWS = RETIRED.flatMap(([old, current]) =>
  (old.includes('{slug}') ? Object.keys(IDENTIFAI_ANALYTICS) : ['SPECIMENJOB']).map((name) => {
    const fill = (url: string): string => url.replace(/\{(slug|job_id)\}/, name);
    return [fill(old), fill(current)] as const;
  }),
);

const OTHERS = [
  ['https://api.cloud.nodeflux.io/', 'https://api.identifai.id'],
  ['https://api.nodeflux.io', 'https://api.identifai.id'],
  ['https://API.Nodeflux.io/', 'https://api.identifai.id'],
  ['http://api.nodeflux.io:8080/v1/', 'https://api.identifai.id/v1'],
  ['https://api.nodeflux.io./', 'https://api.identifai.id'],
  [
    'https://backend.cloud.nodeflux.io/auth/signatures/',
    'https://api.identifai.id/public/auth/v1/signatures',
  ],
] as const;

describe.each(PLACES)('%s', (_, name) => {
  test.each([...ROWS, ...OTHERS])('%s is retired', async (old, current) => {
    const error: unknown = await Promise.resolve()
      .then(() => name(old))
      .catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: 'configuration-invalid' });
    expect((error as Error).message.split(' was retired on 31 January 2023; use ')[1]).toBe(current);
  });
});

test.each([
  'https://api.identifai.id',
  'https://bank.example/sandbox/identifai',
  'https://nodeflux.io.bank.example/',
  'https://bank.example/api.nodeflux.io',
])('%s is in use', (url) => {
  for (const [place, name] of PLACES.slice(0, -1)) expect(() => name(url), place).not.toThrow();
});
