import { describe, expect, test } from 'vitest';
import { specimenUrl } from '../../demo/specimen.ts';
import { guideInPicture } from '../../src/domain/geometry.ts';
import type { CaptureDetail, ErrorDetail, KycCapture } from '../../src/index.ts';
import { en } from '../../src/element/messages/en.ts';
import { randomFrom } from '../accuracy/score.ts';
import { hostileFiles, type Bases } from '../hostile/files.ts';
import { insert, segment } from '../hostile/formats.ts';
import { mount, nextError, noCamera, press, until } from './support.ts';

/** A JPEG or PNG of the specimen on a table, as a phone's camera app makes it. */
async function picture(width: number, height: number, type = 'image/jpeg'): Promise<File> {
  const card = new Image();
  card.src = specimenUrl();
  await card.decode();
  const canvas = new OffscreenCanvas(width, height);
  const context = canvas.getContext('2d');
  if (!context) throw new Error('no canvas');
  context.fillStyle = '#7b5b40';
  context.fillRect(0, 0, width, height);
  const guide = guideInPicture('ktp', { width, height });
  context.drawImage(card, guide.x + 4, guide.y + 4, guide.width - 8, guide.height - 8);
  return new File([await canvas.convertToBlob({ type, quality: 0.9 })], 'SPECIMEN', { type });
}

/** The same, where it is a JPEG with an EXIF segment that says where it was taken. */
async function withExif(file: File): Promise<File> {
  if (file.type !== 'image/jpeg') return file;
  const bytes = new Uint8Array(await file.arrayBuffer());
  const located = insert(bytes, 2, segment(0xe1, 'Exif\0\0GPS SPECIMEN 6.2S 106.8E'));
  return new File([located], 'SPECIMEN.jpg', { type: file.type });
}

function give(element: KycCapture, file: File): void {
  const input = element.shadowRoot?.querySelector<HTMLInputElement>('input[type="file"]');
  if (!input) throw new Error('no input for a file');
  const transfer = new DataTransfer();
  transfer.items.add(file);
  input.files = transfer.files;
  input.dispatchEvent(new Event('change'));
}

async function choosing(
  attributes: Record<string, string>,
): Promise<{ element: KycCapture; taken: CaptureDetail[] }> {
  const element = await mount({ steps: 'ktp', analytics: 'ocr-ktp', lang: 'en', ...attributes }, noCamera);
  const taken: CaptureDetail[] = [];
  element.addEventListener('kyc-capture', ({ detail }) => taken.push(detail));
  press(element, 'start');
  await until(() => element.getAttribute('state') === 'failed');
  await element.updateComplete;
  press(element, 'choose');
  await element.updateComplete;
  return { element, taken };
}

describe('a file in place of the camera', () => {
  test.each([
    ['image/jpeg', 1600, 1200],
    ['image/png', 1280, 960],
    ['image/jpeg', 4000, 3000],
  ])('%s of %i x %i is judged, cut and encoded like a photo of the camera', async (type, width, height) => {
    const { element, taken } = await choosing({});
    expect(element.getAttribute('rung')).toBe('upload');
    give(element, await withExif(await picture(width, height, type)));
    await until(() => taken.length === 1);
    expect(taken[0]).toMatchObject({ step: 'ktp', rung: 'upload', issues: [] });
    const bytes = new Uint8Array((await taken[0]?.blob.arrayBuffer()) ?? new ArrayBuffer(0));
    expect([...bytes.subarray(0, 2)]).toEqual([0xff, 0xd8]);
    expect(new TextDecoder('latin1').decode(bytes)).not.toContain('Exif');
    // Along the card's own edges.
    expect((taken[0]?.width ?? 0) / (taken[0]?.height ?? 1)).toBeCloseTo(1.535, 1);
  });

  test('that shows no card is told as doubtful', async () => {
    const { element, taken } = await choosing({});
    const canvas = new OffscreenCanvas(1600, 1200);
    canvas.getContext('2d')?.fillRect(0, 0, 1600, 1200);
    give(element, new File([await canvas.convertToBlob()], 'SPECIMEN.png'));
    await until(() => taken.length === 1);
    expect(taken[0]?.issues.length).toBeGreaterThan(0);
    await element.updateComplete;
    expect(element.shadowRoot?.querySelector('[part="warning"]')).not.toBeNull();
  });

  test.each([
    [
      'photo-unreadable',
      () => Promise.resolve(new File(['no picture'], 'SPECIMEN.heic', { type: 'image/heic' })),
    ],
    ['photo-too-small', () => picture(640, 480)],
  ] as const)('%s: told, and another may be chosen', async (code, make) => {
    const { element, taken } = await choosing({});
    const error = nextError(element);
    give(element, await make());
    expect(await error).toMatchObject({ code, retryable: true });
    await element.updateComplete;
    press(element, 'choose');
    await element.updateComplete;
    give(element, await picture(1600, 1200));
    await until(() => taken.length === 1);
  });

  test('is offered only where the page accepts it', async () => {
    const element = await mount({ steps: 'ktp', analytics: 'ocr-ktp', fallback: 'manual' }, noCamera);
    press(element, 'start');
    await until(() => element.getAttribute('state') === 'failed');
    await element.updateComplete;
    expect(element.shadowRoot?.querySelector('[data-action="choose"]')).toBeNull();
    expect(element.shadowRoot?.querySelector('[data-action="retry"]')).not.toBeNull();
  });
});

describe('files that no camera made', () => {
  test('two hundred hostile ones are each refused with a code and a sentence, and a photo is taken after them', async () => {
    const files = await hostileFiles(await bases());
    expect(files.length).toBeGreaterThanOrEqual(200);
    const { element, taken } = await choosing({});
    const wrong: unknown[] = [];
    let longest = { told: '', took: 0 };
    for (const { told, type, bytes, code } of files) {
      const began = performance.now();
      const detail = await refused(element, new File([bytes], told, { type }));
      const took = performance.now() - began;
      if (took > longest.took) longest = { told, took };
      const sentence = element.shadowRoot?.querySelector('[part="message"]')?.textContent ?? '';
      if (detail.code !== code || !detail.retryable || !sentence.includes(en.failed.errors[code]))
        wrong.push({ told, code, found: detail.code, sentence });
      press(element, 'choose');
      await element.updateComplete;
    }
    console.log(
      `${files.length} hostile files refused; the longest took ${Math.round(longest.took)} ms: ${longest.told}`,
    );
    expect(wrong).toEqual([]);
    expect(taken).toEqual([]);
    give(element, await picture(1600, 1200));
    await until(() => taken.length === 1);
    expect(taken[0]).toMatchObject({ rung: 'upload', issues: [] });
  }, 240_000);

  test('damaged anywhere: a photo or a code', async () => {
    const random = randomFrom(SEED);
    const { element, taken } = await choosing({});
    const ends: string[] = [];
    element.addEventListener('kyc-error', ({ detail: { code } }) => {
      if (code !== 'camera-missing') ends.push(code);
    });
    const whole = await bases();
    for (let count = 1; count <= 24; count++) {
      const kind = KINDS[count % 3] ?? 'jpeg';
      const bytes = whole[kind];
      const damaged = Uint8Array.from(bytes);
      for (let change = 0; change < 3; change++)
        damaged[Math.floor(random() ** 3 * damaged.length)] = Math.floor(random() * 256);
      const before = taken.length;
      give(element, new File([damaged], 'SPECIMEN', { type: `image/${kind}` }));
      await until(() => taken.length + ends.length === count);
      await element.updateComplete;
      if (taken.length > before) {
        press(element, 'retake');
        await until(() => ['failed', 'choosing'].includes(element.getAttribute('state') ?? ''));
        await element.updateComplete;
      }
      if (element.getAttribute('state') === 'failed') press(element, 'choose');
      await element.updateComplete;
    }
    expect(
      ends.filter((code) => !['photo-unreadable', 'photo-too-large', 'photo-too-small'].includes(code)),
    ).toEqual([]);
  });
});

const SEED = 20261123;
const KINDS = ['jpeg', 'png', 'webp'] as const;

async function bases(): Promise<Bases> {
  const of = async (kind: string): Promise<Uint8Array> =>
    new Uint8Array(await (await picture(1600, 1200, `image/${kind}`)).arrayBuffer());
  return { jpeg: await of('jpeg'), png: await of('png'), webp: await of('webp') };
}

/** Chooses a file that is refused; one that is taken would have no end here. */
async function refused(element: KycCapture, file: File): Promise<ErrorDetail> {
  const error = nextError(element);
  const isTaken = new Promise<never>((_, reject) =>
    element.addEventListener('kyc-capture', () => reject(new Error(`taken: ${file.name}`)), { once: true }),
  );
  give(element, file);
  const detail = await Promise.race([error, isTaken]);
  await element.updateComplete;
  return detail;
}
