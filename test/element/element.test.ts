import { describe, expect, test } from 'vitest';
import type { Thresholds } from '../../src/index.ts';
import { mount, nextError, press, stripes, until } from './support.ts';

describe('attributes', () => {
  test.each([
    [{ provider: '' }, 'provider'],
    [{ provider: 'nodeflux' }, 'provider'],
    [{ 'token-endpoint': '' }, 'token-endpoint'],
    [{ 'token-endpoint': 'http://[' }, 'token-endpoint'],
    [{ 'token-endpoint': 'javascript:alert(1)' }, 'token-endpoint'],
    [{ steps: 'selfie,passport' }, 'steps'],
    [{ steps: 'selfie,selfie' }, 'steps'],
    [{ steps: ',' }, 'steps'],
    [{ 'ref-number': 'a b' }, 'ref-number'],
    [{ 'ref-number': '12345' }, 'ref-number'],
    [{ 'provider-base': 'ftp://example.test/' }, 'provider-base'],
    [{ 'assets-base': 'data:text/html,x' }, 'assets-base'],
    [{ analytics: 'face-recognition' }, 'analytics must be one of face-match, '],
    [{ analytics: 'face-match,' }, 'analytics'],
    [{ analytics: 'toString' }, 'analytics'],
    [{ analytics: 'facecompareliveness' }, 'analytics'],
    [{ analytics: 'ocr-sim', steps: 'sim', provider: 'eendigo' }, 'analytics'],
    [{ analytics: 'ocr-ktp,ocr-ktp' }, 'each once'],
    [{ analytics: 'ocr-ktp,ocr-sim', steps: 'ktp,sim' }, 'fields of one card'],
    [{ analytics: 'delete-enrollment' }, 'asked for by a server'],
    [{ analytics: 'ocr-npwp' }, 'steps lacks npwp'],
    [{ analytics: 'face-match', steps: 'selfie' }, 'steps lacks ktp'],
    [{ 'face-id': '12a' }, 'face-id must be digits'],
    [{ 'provider-base': 'https://api.cloud.nodeflux.io' }, 'use https://api.identifai.id'],
    [
      { 'token-endpoint': 'https://backend.cloud.nodeflux.io/auth/signatures' },
      'use https://api.identifai.id/public',
    ],
    [{ allow: 'smile' }, 'allow'],
    [{ allow: 'glasses,' }, 'allow'],
    [{ allow: 'glasses, no-face' }, 'allow'],
    [{ allow: 'no-card' }, 'allow'],
  ])('%o is refused with a name the developer can act on', async (attributes, named) => {
    const element = await mount(attributes);
    const error = nextError(element);
    press(element, 'start');
    expect(await error).toMatchObject({ code: 'configuration-invalid', retryable: false });
    expect((await error).message).toContain(named);
    await element.updateComplete;
    expect(element.getAttribute('state')).toBe('failed');
    press(element, 'retry');
    expect(element.getAttribute('state')).toBe('start');
  });

  test.each<[thresholds: unknown, named: string]>([
    [7, 'thresholds'],
    [{ head: {} }, 'thresholds.head'],
    [{ toString: {} }, 'thresholds.toString'],
    [{ face: 12 }, 'thresholds.face'],
    [{ face: null }, 'thresholds.face'],
    [{ face: { smile: 1 } }, 'thresholds.face.smile'],
    [{ face: { glare: 1 } }, 'thresholds.face.glare'],
    [{ card: { yaw: 1 } }, 'thresholds.card.yaw'],
    [{ face: { yaw: '25' } }, 'thresholds.face.yaw'],
    [{ face: { yaw: NaN } }, 'thresholds.face.yaw'],
    [{ face: { roll: 14, yaw: Infinity } }, 'thresholds.face.yaw'],
    [{ face: { faces: 0 } }, 'thresholds.face.faces'],
    [{ card: { presence: 0 } }, 'thresholds.card.presence'],
  ])('thresholds = %j are refused with a name the developer can act on', async (thresholds, named) => {
    const element = await mount({});
    element.thresholds = thresholds as Thresholds;
    const error = nextError(element);
    press(element, 'start');
    expect(await error).toMatchObject({ code: 'configuration-invalid', retryable: false });
    expect((await error).message).toContain(`${named} `);
  });

  test.each<[allow: string, thresholds: Thresholds | null]>([
    [' ', null],
    ['glasses', {}],
    [' glasses , eyes-closed ', { face: { yaw: 25 }, card: { sharpness: 0.08 } }],
  ])('allow="%s" with thresholds = %j is taken', async (allow, thresholds) => {
    const element = await mount({ allow }, () => Promise.reject(new DOMException('', 'NotAllowedError')));
    element.thresholds = thresholds;
    const error = nextError(element);
    press(element, 'start');
    expect((await error).code).toBe('camera-denied');
  });

  test.each<Record<string, string>>([
    { analytics: 'face-match-liveness-v2,ocr-ktp' },
    { analytics: ' face-match , face-liveness-v4 ' },
    { analytics: 'face-match-liveness-v1,ocr-sim', steps: 'sim,ktp,selfie' },
    { analytics: 'ocr-npwp', steps: 'npwp' },
    { analytics: 'ocr-npwp', steps: 'npwp,selfie', provider: 'eendigo' },
    { analytics: 'face-match-enrollment', 'face-id': '1001', steps: 'selfie' },
  ])('%o is taken', async (attributes) => {
    const element = await mount(attributes, () => Promise.reject(new DOMException('', 'NotAllowedError')));
    const error = nextError(element);
    press(element, 'start');
    expect((await error).code).toBe('camera-denied');
  });

  test.each<[context: unknown, named: string]>([
    ['0042', 'context must be an object'],
    [null, 'context must be an object'],
    [{ officeCode: 42 }, 'context.officeCode must be a string'],
    [{ officeCode: '42', officeName: null }, 'context.officeName must be a string'],
  ])('context = %j is refused with a name the developer can act on', async (context, named) => {
    const element = await mount({});
    element.context = context as Readonly<Record<string, string>>;
    const error = nextError(element);
    press(element, 'start');
    expect(await error).toMatchObject({ code: 'configuration-invalid', retryable: false });
    expect((await error).message).toContain(named);
  });

  test('a mended attribute counts at the next try', async () => {
    const element = await mount({ provider: '' }, () =>
      Promise.reject(new DOMException('', 'NotAllowedError')),
    );
    press(element, 'start');
    await element.updateComplete;
    element.provider = 'eendigo';
    press(element, 'retry');
    await element.updateComplete;
    const error = nextError(element);
    press(element, 'start');
    expect((await error).code).toBe('camera-denied');
  });

  test.each([
    ['id', null, 'Verifikasi identitas'],
    ['en', null, 'Verify your identity'],
    [null, 'en-US', 'Verify your identity'],
    [null, 'fr', 'Verifikasi identitas'],
  ])('lang=%s in a page in %s', async (lang, pageLang, title) => {
    document.documentElement.lang = pageLang ?? '';
    const element = await mount(lang ? { lang } : {});
    expect(element.shadowRoot?.querySelector('h2')?.textContent).toBe(title);
  });

  test.each<[attributes: Record<string, string>, planned: number]>([
    [{}, 2],
    [{ steps: 'npwp' }, 1],
    [{ steps: 'npwp, sim,ktp,selfie' }, 4],
  ])('%o plans %i photos', async (attributes, planned) => {
    const element = await mount(attributes);
    expect(element.shadowRoot?.querySelectorAll('.plan li')).toHaveLength(planned + 1);
  });

  test('the start screen holds the consent text', async () => {
    const element = await mount({ steps: 'selfie' });
    element.innerHTML = '<p slot="consent">consent</p>';
    const slot = element.shadowRoot?.querySelector<HTMLSlotElement>('slot[name="consent"]');
    await until(() => slot?.assignedElements().length === 1);
  });
});

describe('camera', () => {
  test.each([
    ['NotAllowedError', 'camera-denied'],
    ['SecurityError', 'camera-denied'],
    ['NotFoundError', 'camera-missing'],
    ['OverconstrainedError', 'camera-missing'],
    ['NotReadableError', 'camera-busy'],
    ['AbortError', 'camera-busy'],
    ['InvalidStateError', 'camera-failed'],
  ])('%s is %s', async (name, code) => {
    const element = await mount({}, () => Promise.reject(new DOMException('', name)));
    const error = nextError(element);
    press(element, 'start');
    expect(await error).toMatchObject({ code });
    await element.updateComplete;
    expect(element.shadowRoot?.querySelector('[data-action="retry"]')).not.toBeNull();
  });

  test('a camera that cannot reach the smallest photo is named, with its size, and stopped', async () => {
    const stream = stripes(320, 240);
    const element = await mount({}, () => Promise.resolve(stream));
    const error = nextError(element);
    press(element, 'start');
    expect(await error).toMatchObject({ code: 'camera-too-small', retryable: false });
    expect((await error).message).toContain('320x240');
    expect(stream.getTracks().every((track) => track.readyState === 'ended')).toBe(true);
  });

  test('a track that ends by itself is a lost camera', async () => {
    const stream = stripes(1280, 720);
    const element = await mount({}, () => Promise.resolve(stream));
    press(element, 'start');
    await until(() => element.shadowRoot?.querySelector('video') != null);
    const error = nextError(element);
    stream.getVideoTracks()[0]?.dispatchEvent(new Event('ended'));
    expect((await error).code).toBe('camera-lost');
  });
});

test.each([
  { width: 1280, height: 720 },
  { width: 720, height: 1280 },
])('a picture of %o keeps its shape and has the guide in its middle', async ({ width, height }) => {
  const element = await mount({}, () => Promise.resolve(stripes(width, height)));
  press(element, 'start');
  const box = (selector: string): DOMRect =>
    element.shadowRoot?.querySelector(selector)?.getBoundingClientRect() ?? new DOMRect();
  await until(() => Math.abs(box('video').width / box('video').height - width / height) < 0.01);
  await until(
    () => Math.abs(box('.outline').x - box('video').x + (box('.outline').right - box('video').right)) < 2,
  );
  expect(box('.outline').top).toBeGreaterThanOrEqual(box('video').top);
  expect(box('.outline').bottom).toBeLessThanOrEqual(box('video').bottom);
});

describe('lifecycle', () => {
  test('the camera stops when the element leaves, and not when it only moves', async () => {
    const stream = stripes(1280, 720);
    const element = await mount({}, () => Promise.resolve(stream));
    press(element, 'start');
    await until(() => element.shadowRoot?.querySelector('video') != null);
    const other = document.createElement('div');
    document.body.append(other);
    other.append(element);
    await Promise.resolve();
    expect(stream.getVideoTracks()[0]?.readyState).toBe('live');
    other.remove();
    await Promise.resolve();
    expect(stream.getVideoTracks()[0]?.readyState).toBe('ended');
    document.body.append(element);
    await element.updateComplete;
    expect(element.getAttribute('state')).toBe('start');
    expect(element.shadowRoot?.querySelector('[data-action="start"]')).not.toBeNull();
  });

  test('a camera that arrives after the element has gone is stopped', async () => {
    const stream = stripes(1280, 720);
    let give: (stream: MediaStream) => void = () => undefined;
    const element = await mount({}, () => new Promise((resolve) => (give = resolve)));
    press(element, 'start');
    element.remove();
    await Promise.resolve();
    give(stream);
    await until(() => stream.getVideoTracks()[0]?.readyState === 'ended');
  });

  test('cancel stops the camera, says so, and lets the person begin again', async () => {
    const stream = stripes(1280, 720);
    const element = await mount({}, () => Promise.resolve(stream));
    let cancelled = 0;
    document.body.addEventListener('kyc-cancel', () => cancelled++, { once: true });
    press(element, 'start');
    await until(() => element.shadowRoot?.querySelector('video') != null);
    press(element, 'cancel');
    await element.updateComplete;
    expect(cancelled).toBe(1);
    expect(stream.getVideoTracks()[0]?.readyState).toBe('ended');
    expect(element.getAttribute('state')).toBe('cancelled');
    press(element, 'restart');
    expect(element.getAttribute('state')).toBe('opening');
  });
});
