import { serveDemo, type DemoServer } from '../../demo/serve.ts';
import { findSecrets, Recording } from './recording.ts';
import { expect, expectFailure, goodScenes, SMALL, test as base } from './support.ts';

/** With characters that every way of writing escapes differently. Nobody's keys. */
const SECRETS = {
  'relay secret': 'SPECIMEN relay+secret/of 40 characters="&<é>"',
  'access key': 'SPECIMEN-access+key/="&<~>"',
  'secret key': 'SPECIMEN-secret+key/="&<~>"',
  'Eendigo key': 'SPECIMEN eendigo+key/="&<é>"',
  'tenant code': 'SPECIMEN tenant+code/="&<é>"',
};

const test = base.extend<{ demo: DemoServer }>({
  demo: async ({}, use) => {
    const demo = await serveDemo({
      port: 0,
      app: {
        relay: { secret: SECRETS['relay secret'] },
        sandbox: {
          identifai: { accessKey: SECRETS['access key'], secretKey: SECRETS['secret key'] },
          eendigo: { key: SECRETS['Eendigo key'], tenantCode: SECRETS['tenant code'] },
        },
      },
    });
    await use(demo);
    await demo.close();
  },
});

for (const query of ['provider=identifai&mode=relay', 'provider=identifai&mode=direct', 'provider=eendigo']) {
  test(`${query}: no secret in any byte that the browser sees, sends or keeps`, async ({ open, demo }) => {
    let recording: Recording | undefined;
    const capture = await open(`${demo.url}?${query}&answer=CREDENTIALS`, {
      ...SMALL,
      scenes: goodScenes(),
      prepare: (page) => {
        recording = new Recording(page);
        return Promise.resolve();
      },
    });
    // First the refusal that is about the keys themselves, then a result.
    await capture.run();
    await expectFailure(capture, 'provider-credentials');
    await capture.element.evaluate((element) => element.setAttribute('ref-number', 'SPECIMEN000001'));
    await capture.press('retry');
    expect(await capture.run()).toMatchObject({ ended: 'done', result: { verified: true } });

    const seen = (await recording?.seen(capture)) ?? [];
    expect(findSecrets(seen, SECRETS)).toEqual([]);
    // The search finds what is there: a record with holes would prove nothing.
    const token = 'submission_token';
    const upload = query.includes('direct') ? '/v1/analytics/' : '/kyc/submissions';
    const places = seen.filter(({ bytes }) => bytes.length > 0).map(({ where }) => where);
    expect(findSecrets(seen, { token })).toContain(
      `token, plain, in response 200 /kyc/token${query.includes('direct') ? '/direct' : ''}: body`,
    );
    for (const part of [/^response 200 \/kyc\/assets\/.*\.wasm\.gz: body/, /^page: document/, /^cookies/]) {
      expect(places).toContainEqual(expect.stringMatching(part));
    }
    expect(places.filter((where) => where.startsWith('sent to') && where.includes(upload))).not.toEqual([]);
  });
}

test('a secret that a server lets out is found, wherever and however it is written', async ({
  open,
  demo,
}) => {
  let recording: Recording | undefined;
  const capture = await open(demo.url, {
    prepare: async (page, context) => {
      recording = new Recording(page);
      await page.route('**/kyc/token', (route) =>
        route.fulfill({
          headers: { 'x-debug': Buffer.from(`key=${SECRETS['access key']}`).toString('base64') },
          json: { error: `unknown key ${SECRETS['Eendigo key']}` },
        }),
      );
      await context.addCookies([
        { name: 'tenant', value: encodeURIComponent(SECRETS['tenant code']), url: demo.url },
      ]);
    },
  });
  await capture.page.evaluate(
    async ({ relay, secretKey }) => {
      await fetch('kyc/token', { method: 'POST', body: '{}' });
      const hex = Array.from(new TextEncoder().encode(relay), (byte) => byte.toString(16).padStart(2, '0'));
      sessionStorage.setItem('relay', hex.join('').toUpperCase());
      document.querySelector('kyc-capture')?.shadowRoot?.append(secretKey);
    },
    { relay: SECRETS['relay secret'], secretKey: SECRETS['secret key'] },
  );
  const found = findSecrets((await recording?.seen(capture)) ?? [], SECRETS);
  for (const leak of [
    'Eendigo key, JSON-escaped, in response 200 /kyc/token: body',
    'access key, plain, then base64, in response 200 /kyc/token: headers',
    'relay secret, plain, then hex, in page: session',
    'secret key, HTML-escaped, in page: document',
    'tenant code, URL-encoded, in cookies, local storage and databases',
    'tenant code, URL-encoded, in request POST /kyc/token: address and headers',
  ]) {
    expect(found).toContain(leak);
  }
});

test('the search knows each way of writing, at any place among other bytes', () => {
  const secret = SECRETS['access key'];
  const utf8 = Buffer.from(secret);
  const found = (written: string | Buffer): string[] =>
    findSecrets([{ where: 'there', bytes: Buffer.from(written) }], { secret });
  for (const before of ['', 'a', 'ab', 'abc', '{"jwt":"']) {
    expect(found(`${before}${secret}zz`)).toContain('secret, plain, in there');
    expect(found(Buffer.from(`${before}${secret}zz`).toString('base64'))).not.toEqual([]);
    expect(found(Buffer.from(`${before}${secret}zz`).toString('base64url'))).not.toEqual([]);
    expect(found(Buffer.from(`${before}${secret}zz`).toString('hex').toUpperCase())).not.toEqual([]);
    expect(found(Buffer.from(JSON.stringify({ [before]: secret })).toString('base64url'))).not.toEqual([]);
    expect(
      found(`https://page.example/?${new URLSearchParams({ [before]: secret }).toString()}`),
    ).not.toEqual([]);
    expect(found(`${before}${encodeURIComponent(secret)}`)).not.toEqual([]);
  }
  expect(found([...utf8].map((byte) => `%${byte.toString(16).toUpperCase()}`).join(''))).not.toEqual([]);
  expect(found(Buffer.concat([Buffer.from([0xff, 0xd8, 0]), utf8, Buffer.from([0xff])]))).not.toEqual([]);
  expect(found(secret.slice(1))).toEqual([]);
  expect(found('')).toEqual([]);
});
