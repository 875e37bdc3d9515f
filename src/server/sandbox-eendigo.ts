import type { Context, Hono } from 'hono';
import type { Step } from '../domain/result.ts';
import { eendigo, eendigoPhotoNames, type EendigoCredentials } from '../providers/eendigo.ts';
import { EENDIGO_ANALYTICS, type Analytic } from '../providers/profiles.ts';
import { findCase, type SandboxCase } from './sandbox-cases.ts';
import {
  cardFields,
  deliver,
  inspect,
  refusalOf,
  tellOrder,
  wait,
  type Received,
  type ReceivedImage,
} from './sandbox-stage.ts';

/** Eendigo's photo rules (documented), for either orientation. */
const EENDIGO_SELFIE = { long: 600, short: 600, maxBytes: 3_000_000 } as const;
const EENDIGO_CARD = { long: 960, short: 720, maxBytes: 2_000_000 } as const;
const EENDIGO_LARGEST = { long: 1920, short: 1080 } as const;

/** What the play of Eendigo needs. */
export interface EendigoStage {
  readonly keys: EendigoCredentials;
  readonly now: () => number;
  readonly slow: number;
  readonly hang: number;
  readonly remember: (refNumber: string, entry: Received) => void;
}

/** Adds Eendigo's paths to the app. */
export function playEendigo(app: Hono, { keys, now, slow, hang, remember }: EendigoStage): void {
  let transaction = 10_000 + (crypto.getRandomValues(new Uint16Array(1))[0] ?? 0);

  const handle = async (c: Context, name: string, analytic: Analytic): Promise<Response> => {
    c.header('x-trx-no', String(transaction++));
    const fail = (message: string): Response => c.json({ status: 'FAILED', message });
    const form = await c.req.formData().catch(() => null);
    const names = eendigoPhotoNames(analytic);
    const files = names.map((photo) => form?.get(photo));
    const refNumber = form?.get('refNumber');
    if (!form || typeof refNumber !== 'string' || refNumber === '') {
      return fail('Parameter invalid, please check your request');
    }
    const pictures: ReceivedImage[] = [];
    for (const [place, file] of files.entries()) {
      if (!file || typeof file === 'string') return fail('Parameter invalid, please check your request');
      const bytes = new Uint8Array(await file.arrayBuffer());
      pictures.push(await inspect(names[place] ?? '', file.type, bytes));
    }
    const order = tellOrder(pictures);
    remember(refNumber, {
      provider: 'eendigo',
      analytic: name,
      fields: [...form.keys()].filter((field) => !names.includes(field)),
      images: pictures,
      order,
    });
    if (form.get('key') !== keys.key || form.get('tenant_code') !== keys.tenantCode) {
      return fail('Invalid API key or tenant code');
    }
    const wrong = judgeEendigoPhotos(analytic, pictures, order);
    if (wrong !== null) return fail(wrong);

    const play = findCase(refNumber);
    if (play.polls !== undefined) await wait(play.polls === 'slow' ? slow : hang, c.req.raw.signal);
    return deliver(c, play, bodyOfEendigo(play, analytic, new Date(now()).toUTCString()), 200);
  };
  for (const [name, analytic] of Object.entries<Analytic>(EENDIGO_ANALYTICS)) {
    const path = Object.entries(eendigo.paths).find(([known]) => known === name)?.[1] ?? name;
    for (const prefix of ['/', '/demo/']) app.post(prefix + path, (c) => handle(c, name, analytic));
  }
}

/** Eendigo's sentence about photos that break its rules, or null. */
function judgeEendigoPhotos(
  { photos }: Analytic,
  pictures: readonly ReceivedImage[],
  order: readonly Step[] | null,
): string | null {
  for (const [place, picture] of pictures.entries()) {
    const { width, height, decoded, bytes } = picture;
    const isCard = photos[place] !== 'selfie';
    const rule = isCard ? EENDIGO_CARD : EENDIGO_SELFIE;
    if (!decoded || width === null || height === null) {
      return isCard ? 'Input Image Invalid' : 'Parameter invalid, please check your request';
    }
    const long = Math.max(width, height);
    const short = Math.min(width, height);
    if (bytes > rule.maxBytes || long > EENDIGO_LARGEST.long || short > EENDIGO_LARGEST.short) {
      return 'Image size too large';
    }
    if (long < rule.long || short < rule.short) return 'Parameter invalid, image too small';
  }
  return order?.[0] === 'ktp' ? 'Input Image Invalid' : null;
}

function bodyOfEendigo(play: SandboxCase, analytic: Analytic, date: string): string {
  const refusal = refusalOf(play, analytic);
  const blank = {
    face_compare: { compare: '', similarity: '', threshold: '0.8' },
    face_liveness: { live: '', score: '' },
  };
  if (analytic.document !== null) {
    const read =
      refusal || play.empty ? {} : { ...cardFields(analytic.document, 'underscored'), is_ektp: 'True' };
    return JSON.stringify({
      status: refusal ? 'FAILED' : 'SUCCESS',
      message: refusal?.sentence ?? '',
      ocr_date: date,
      read,
    });
  }
  if (refusal) {
    const { sentence, of } = refusal;
    return JSON.stringify(
      of === 'selfie'
        ? { datetime: date, error: sentence, result: blank, status: 'FAILED' }
        : { status: 'FAILED', message: sentence },
    );
  }
  if (play.empty) return JSON.stringify({ date, message: '', result: blank, status: 'Success' });
  const { live, matched = true } = play;
  const match = matched === null ? blank.face_compare : compare(matched);
  const liveness = { live: live === false ? 'False' : 'True', score: live === false ? '0.11310' : '0.98520' };
  const body = {
    date,
    message: '',
    result: { face_compare: match, face_liveness: liveness },
    status: 'Success',
  };
  // The document's sample ends in a comma, so a client must be ready for one.
  return JSON.stringify(body).replace(/\}$/, ',}');
}

function compare(matched: boolean): object {
  return {
    compare: matched ? 'True' : 'False',
    similarity: matched ? '0.83950' : '0.30210',
    threshold: '0.8',
  };
}
