import { expect, test } from 'vitest';
import { APP_PATHS, createApp } from '../../src/server/index.ts';
import { isWholeJpeg } from '../../src/server/jpeg.ts';

/** The relay in a runtime that has `fetch` and nothing of Node's. */

/** A JPEG of the browser's own encoder: what the relay really gets. */
async function jpegOf(width: number, height: number): Promise<Blob> {
  const canvas = new OffscreenCanvas(width, height);
  const context = canvas.getContext('2d');
  if (!context) throw new Error('no canvas');
  const gradient = context.createLinearGradient(0, 0, width, height);
  gradient.addColorStop(0, '#258');
  gradient.addColorStop(1, '#fc8');
  context.fillStyle = gradient;
  context.fillRect(0, 0, width, height);
  return canvas.convertToBlob({ type: 'image/jpeg', quality: 0.9 });
}

test.each(['identifai', 'eendigo'] as const)(
  '%s: token, submission, result, limits and health',
  async (provider) => {
    expect('Buffer' in globalThis).toBe(false);
    const app = createApp({
      relay: { clientOf: (request) => request.headers.get('x-client'), limits: { tokensPerMinute: 1 } },
      sandbox: { pollsBeforeEnd: 0 },
    });
    expect(await (await app.request('/kyc/health')).json()).toEqual({
      ok: true,
      providers: ['identifai', 'eendigo'],
    });
    const ask = () =>
      app.request(APP_PATHS.token, {
        method: 'POST',
        headers: { 'content-type': 'application/json', 'x-client': 'SPECIMEN' },
        body: JSON.stringify({ refNumber: 'INABROWSER', provider, steps: ['selfie', 'ktp'] }),
      });
    const issued = (await (await ask()).json()) as { submission_token: string; upload_url: string };
    const refused = await ask();
    expect([refused.status, Number(refused.headers.get('retry-after')) > 0]).toEqual([429, true]);

    const form = new FormData();
    const selfie = await jpegOf(600, 800);
    expect(isWholeJpeg(new Uint8Array(await selfie.arrayBuffer()))).toBe(true);
    form.append('selfie', selfie, 'selfie.jpg');
    form.append('ktp', await jpegOf(1200, 757), 'ktp.jpg');
    form.append('refNumber', 'INABROWSER');
    const headers = { authorization: `Bearer ${issued.submission_token}` };
    const sent = await app.request(issued.upload_url, { method: 'POST', headers, body: form });
    const accepted = (await sent.json()) as { result_url?: string };
    const result = accepted.result_url
      ? ((await (await app.request(accepted.result_url, { headers })).json()) as object)
      : accepted;
    expect(result).toMatchObject({ provider, verified: true, refNumber: 'INABROWSER' });
    expect((await app.request(issued.upload_url, { method: 'POST', headers, body: form })).status).toBe(401);
  },
);
