import { Hono } from 'hono';
import { encode } from 'jpeg-js';
import type { Step } from '../../src/domain/result.ts';
import { profileOf } from '../../src/providers/profiles.ts';
import type { Received } from '../../src/server/index.ts';
import type { Transport, TransportRequest } from '../../src/session/transport.ts';
import type { SubmitRequest } from '../../src/session/submit.ts';

/** Where the page and its token endpoint are. */
export const PAGE = 'https://page.example';

/** Secrets that are easy to find again in traffic. */
export const SECRETS = {
  relay: 'SPECIMEN-relay-secret-SPECIMEN-relay-secret',
  accessKey: 'SPECIMEN-access-key',
  secretKey: 'SPECIMEN-secret-key',
  key: 'SPECIMEN-eendigo-key',
  tenantCode: 'SPECIMEN-tenant-code',
} as const;

/** Options of `createApp` with these secrets and without long waits. */
export const QUICK = {
  relay: { secret: SECRETS.relay, providerTimeout: 2000 },
  sandbox: {
    identifai: { accessKey: SECRETS.accessKey, secretKey: SECRETS.secretKey },
    eendigo: { key: SECRETS.key, tenantCode: SECRETS.tenantCode },
    slow: 30,
    hang: 10_000,
  },
} as const;

/** What a token endpoint answers, and what a relay answers in the end. */
export const TOKEN = { submission_token: 'SPECIMEN-TOKEN', upload_url: '/kyc/submissions' };
export const RESULT = {
  provider: 'identifai',
  verified: true,
  liveness: { live: true, score: 1, threshold: null },
  match: { matched: true, similarity: 1, threshold: null },
  transactionId: null,
  refNumber: 'SPECIMEN000001',
  raw: null,
};

/** A drawn picture: a gradient with a block in it, so that no two sizes give the same bytes. */
export function drawJpeg(width: number, height: number, quality = 50): Uint8Array<ArrayBuffer> {
  const data = new Uint8Array(width * height * 4);
  for (let at = 0; at < data.length; at += 4) {
    const x = (at / 4) % width;
    const y = Math.floor(at / 4 / width);
    const block = Math.abs(x - width / 2) < width / 8 && Math.abs(y - height / 2) < height / 8;
    data[at] = block ? 200 : Math.floor(x / 32) * 4;
    data[at + 1] = block ? 160 : Math.floor(y / 32) * 4;
    data[at + 2] = 90;
    data[at + 3] = 255;
  }
  return Uint8Array.from(encode({ width, height, data }, quality).data);
}

/** The smallest photos that both providers take, so that decoding costs little. */
export const SELFIE = drawJpeg(600, 640);
export const KTP = drawJpeg(1142, 720);

export const blob = (bytes: Uint8Array<ArrayBuffer>, type = 'image/jpeg'): Blob =>
  new Blob([bytes], { type });

export function photos(): Map<Step, Blob> {
  return new Map([
    ['selfie', blob(SELFIE)],
    ['ktp', blob(KTP)],
  ]);
}

/** One exchange, with everything that the browser's side sent and received, but for the photos. */
export interface Exchange {
  readonly method: string;
  readonly url: string;
  readonly sent: string;
  readonly status: number | null;
  readonly received: string;
}

/** A transport into the app in this process, which remembers what went to and fro. */
function transportTo(app: Hono): { transport: Transport; exchanges: Exchange[] } {
  const exchanges: Exchange[] = [];
  const transport = async (request: TransportRequest) => {
    const { method, url, headers, body, signal, onUploadProgress } = request;
    const sent =
      JSON.stringify(headers) + (typeof body === 'string' ? body : body ? [...body.keys()].join() : '');
    try {
      onUploadProgress?.(0.5);
      const response = await app.request(url.href, { method, headers: { ...headers }, body, signal });
      const received = await response.text();
      const all = received + JSON.stringify([...response.headers]);
      exchanges.push({ method, url: url.href, sent, status: response.status, received: all });
      return {
        status: response.status,
        body: received,
        header: (name: string) => response.headers.get(name),
      };
    } catch (error) {
      exchanges.push({ method, url: url.href, sent, status: null, received: String(error) });
      throw error;
    }
  };
  return { transport, exchanges };
}

/** A request for `submit` in relay mode, without waits. */
export function request(
  app: Hono,
  changes: Partial<SubmitRequest> = {},
): SubmitRequest & { exchanges: Exchange[] } {
  const { transport, exchanges } = transportTo(app);
  const provider = changes.provider ?? 'identifai';
  return {
    provider,
    analytics: profileOf(provider).defaultAnalytics,
    faceId: null,
    tokenEndpoint: new URL('/kyc/token', PAGE),
    tokenHeaders: { 'x-csrf': 'SPECIMEN' },
    providerBase: null,
    refNumber: 'SPECIMEN000001',
    steps: ['selfie', 'ktp'],
    photos: photos(),
    context: {},
    submissionKey: crypto.randomUUID(),
    captureContext: null,
    signal: new AbortController().signal,
    onProgress: () => undefined,
    pageOrigin: PAGE,
    transport,
    sleep: () => Promise.resolve(),
    online: () => true,
    whenOnline: () => new Promise(() => undefined),
    timings: { tokenTimeout: 1000, idleTimeout: 5000, retryDelay: 1 },
    ...changes,
    exchanges,
  };
}

/** A request for `submit` to a server on the wire, where the page lies beside it. */
export function overHttp(origin: string, changes: Partial<SubmitRequest> = {}): SubmitRequest {
  const {
    transport: _inProcess,
    exchanges: _none,
    ...rest
  } = request(new Hono(), {
    tokenEndpoint: new URL('/kyc/token', origin),
    pageOrigin: origin,
    timings: { retryDelay: 1 },
    ...changes,
  });
  return {
    ...rest,
    transport: async ({ url, method, headers, body, signal }) => {
      const response = await fetch(url, { method, headers, body, signal });
      const text = await response.text();
      return { status: response.status, body: text, header: (name) => response.headers.get(name) };
    },
  };
}

/** What changes for IdentifAI in direct mode. */
export const DIRECT = {
  tokenEndpoint: new URL('/kyc/token/direct', PAGE),
  providerBase: new URL('/sandbox/identifai', PAGE),
} as const;

/** What the sandbox remembers of a reference number. */
export async function received(app: Hono, refNumber: string): Promise<readonly Received[]> {
  const response = await app.request(`/sandbox/received/${refNumber}`);
  return ((await response.json()) as { requests: Received[] }).requests;
}

/** One request that arrived at a provider's path of the sandbox. */
export interface Arrived {
  readonly method: string;
  /** Below the provider's base. */
  readonly path: string;
  readonly headers: Headers;
  /** The JSON that was sent, or the fields of the form; null where nothing was. */
  readonly body: unknown;
}

/** Listens to what the sandbox of an app is asked, whoever asks. */
export function listen(app: Hono): Arrived[] {
  const arrived: Arrived[] = [];
  const { fetch } = app;
  app.fetch = async (request, ...rest) => {
    const path = /^\/sandbox\/(?:identifai|eendigo)(\/.*)/.exec(new URL(request.url).pathname)?.[1];
    if (path !== undefined) {
      const { method, headers } = request;
      arrived.push({ method, path, headers, body: await bodyOf(request.clone()) });
    }
    return fetch(request, ...rest);
  };
  return arrived;
}

async function bodyOf(request: Request): Promise<unknown> {
  if (request.headers.get('content-type')?.startsWith('multipart/form-data')) {
    return Object.fromEntries(await request.formData());
  }
  const text = await request.text();
  return text === '' ? null : (JSON.parse(text) as unknown);
}

/** A picture of its own for each step, told by its size. */
export const PICTURES: Readonly<Record<Step, Uint8Array<ArrayBuffer>>> = {
  selfie: SELFIE,
  ktp: KTP,
  sim: drawJpeg(1150, 724),
  npwp: drawJpeg(1160, 732),
};

/** The pictures of these steps, as the widget holds them. */
export const picturesOf = (steps: readonly Step[]): Map<Step, Blob> =>
  new Map(steps.map((step) => [step, blob(PICTURES[step])]));
