import { beforeAll, describe, expect, test, vi } from 'vitest';
import { CaptureError, type Result, type Step } from '../../src/domain/result.ts';
import { toDataUrl } from '../../src/providers/identifai.ts';
import { IDENTIFAI_ANALYTICS } from '../../src/providers/profiles.ts';
import {
  createApp,
  createIdentifaiClient,
  createRelay,
  type IdentifaiClient,
} from '../../src/server/index.ts';
import { submit, type SubmitRequest } from '../../src/session/submit.ts';
import { DIRECT, listen, PAGE, PICTURES, picturesOf, QUICK, request, SECRETS } from './support.ts';

vi.setConfig({ testTimeout: 30_000 });

/* Every analytic of IdentifAI in every mode, by every way that leads to it, against the sandbox. */

const MODES = ['synchronous', 'asynchronous'] as const;
type Mode = (typeof MODES)[number];
const FACE = '1001';

/** What a request carries and what comes of it, in the words of `providers.md`, not in those of our tables. */
interface Line {
  readonly images: readonly Step[];
  readonly parameters: Readonly<Record<string, unknown>>;
  readonly gives: readonly ('liveness' | 'match' | 'document')[];
}
const liveness_threshold = 0.6;
const similarity_threshold = 0.7;
const auto_orientation = false;
const face_id = FACE;
const LIVENESS: Line = {
  images: ['selfie'],
  parameters: { liveness_threshold, auto_orientation },
  gives: ['liveness'],
};
const MATCH_LIVENESS: Line = {
  images: ['ktp', 'selfie'],
  parameters: { similarity_threshold, liveness_threshold, auto_orientation },
  gives: ['liveness', 'match'],
};
const card = (step: Step): Line => ({ images: [step], parameters: {}, gives: ['document'] });
const DOCUMENTED: Readonly<Record<string, Line>> = {
  'face-match': {
    images: ['selfie', 'ktp'],
    parameters: { similarity_threshold, auto_orientation },
    gives: ['match'],
  },
  'face-match-enrollment': {
    images: ['selfie'],
    parameters: { face_id, auto_orientation },
    gives: ['match'],
  },
  'face-enrollment': { images: ['selfie'], parameters: { face_id, auto_orientation }, gives: [] },
  'delete-enrollment': { images: [], parameters: { face_id }, gives: [] },
  'face-liveness-v4': LIVENESS,
  'face-liveness-v1': LIVENESS,
  'face-match-liveness-v2': MATCH_LIVENESS,
  'face-match-liveness-v1': MATCH_LIVENESS,
  'ocr-ktp': card('ktp'),
  'ocr-sim': card('sim'),
  'ocr-npwp': card('npwp'),
};

function lineOf(name: string): Line {
  const line = DOCUMENTED[name];
  if (!line) throw new RangeError(`${name} is in no document`);
  return line;
}

const PERSON = {
  nama: 'SPECIMEN PERTAMA',
  alamat: 'JL SPECIMEN 1',
};
const BORN = { tempat_lahir: 'JAKARTA', tanggal_lahir: '15-01-1990' };
const FIELDS: Readonly<Record<string, object>> = {
  ktp: {
    ...PERSON,
    ...BORN,
    nik: '3171011501900001',
    provinsi: 'PROVINSI SPECIMEN',
    kabupaten_kota: 'KOTA SPECIMEN',
    jenis_kelamin: 'LAKI-LAKI',
    gol_darah: 'O',
    rt_rw: '001/002',
    kel_desa: 'SPECIMEN',
    kecamatan: 'SPECIMEN',
    agama: 'ISLAM',
    status_perkawinan: 'BELUM KAWIN',
    pekerjaan: 'KARYAWAN SWASTA',
    kewarganegaraan: 'WNI',
    berlaku_hingga: 'SEUMUR HIDUP',
  },
  sim: { ...PERSON, ...BORN, nomor_sim: '900112345678' },
  npwp: { ...PERSON, npwp: '09.254.294.3-407.000', nik: '3171011501900001' },
};

const NAMES = Object.keys(IDENTIFAI_ANALYTICS);

/** One sandbox, with a relay in each mode before it. */
const app = createApp(QUICK);
const arrived = listen(app);
const keys = { accessKey: SECRETS.accessKey, secretKey: SECRETS.secretKey };
const base = 'http://sandbox.invalid/sandbox/identifai';
const inProcess: typeof fetch = async (input, init) => app.fetch(new Request(input, init));
for (const mode of MODES) {
  const relay = createRelay({
    secret: SECRETS.relay,
    identifai: { ...keys, base, mode },
    analytics: NAMES,
    direct: true,
    faceIdOf: (asked) => asked.headers.get('x-face'),
    fetch: inProcess,
  });
  app.route(`/${mode}`, relay);
}
const clientOf = (mode: Mode): IdentifaiClient =>
  createIdentifaiClient({ ...keys, base, mode }, { fetch: inProcess, sleep: () => Promise.resolve() });

/** A person's submission through the relay of this mode, or to IdentifAI itself. */
function asking(name: string, way: Mode | 'direct', refNumber: string): SubmitRequest {
  const { images } = lineOf(name);
  const steps = images.length > 0 ? images : (['selfie'] as const);
  return request(app, {
    analytics: [name],
    refNumber,
    steps,
    photos: picturesOf(steps),
    tokenHeaders: { 'x-face': FACE },
    ...(way === 'direct'
      ? { ...DIRECT, tokenEndpoint: new URL('/asynchronous/token/direct', PAGE), faceId: FACE }
      : { tokenEndpoint: new URL(`/${way}/token`, PAGE) }),
  });
}

/** What has arrived since, without requests for signatures and tokens. */
const since = (start: number) => arrived.slice(start).filter(({ path }) => !path.includes('auth/'));

function expectArrival(name: string, mode: Mode, refNumber: string, start: number): void {
  const { images, parameters } = lineOf(name);
  const [first, ...polls] = since(start);
  const folder = mode === 'synchronous' ? 'syncv2' : 'v1';
  expect([first?.method, first?.path]).toEqual(['POST', `/${folder}/analytics/${name}`]);
  expect(first?.body).toEqual({
    images: images.map((step) => toDataUrl(PICTURES[step])),
    additional_params: parameters,
    client_ref: refNumber,
  });
  for (const { headers } of since(start)) {
    const authorization = headers.get('authorization') ?? '';
    if (mode === 'synchronous') {
      expect(headers.get('x-nodeflux-timestamp')).toMatch(/^\d{8}T\d{6}Z$/);
      expect(authorization).toMatch(
        /^NODEFLUX-HMAC-SHA256 Credential=SPECIMEN-access-key\/\d{8}\/nodeflux\.api\.v1beta1\.ImageAnalytic\/StreamImageAnalytic, SignedHeaders=x-nodeflux-timestamp, Signature=[0-9a-f]{64}$/,
      );
    } else {
      expect(headers.get('x-nodeflux-timestamp')).toBeNull();
      expect(authorization).toMatch(/^[0-9a-f-]{36}-[0-9A-V]{16}$/);
    }
  }
  // Each submission token is for one use.
  const used = since(start).map(({ headers }) => headers.get('authorization'));
  if (mode === 'asynchronous') expect(new Set(used).size).toBe(used.length);
  expect(polls.map(({ method }) => method)).toEqual(mode === 'synchronous' ? [] : ['GET', 'GET', 'GET']);
  for (const { path } of polls) expect(path).toMatch(/^\/v1\/jobs\/[0-9a-f]{32}$/);
}

function expectResult(name: string, mode: Mode, refNumber: string, result: Result): void {
  const { gives } = lineOf(name);
  const [type] = name.startsWith('ocr-') ? [name.slice(4)] : [];
  const end = {
    status: 'success',
    analytic_type: name.replace(/-v\d$/, '').replaceAll('-', '_').toUpperCase(),
  };
  expect(result).toEqual({
    provider: 'identifai',
    verified: gives.includes('liveness') || gives.includes('match'),
    liveness: gives.includes('liveness') ? { live: true, score: 0.84, threshold: 0.6 } : null,
    match: gives.includes('match') ? { matched: true, similarity: 0.94, threshold: 0.7 } : null,
    document: type === undefined ? null : { type, fields: FIELDS[type] },
    transactionId: mode === 'synchronous' ? null : (expect.stringMatching(/^[0-9a-f]{32}$/) as string),
    refNumber,
    raw: expect.objectContaining(
      mode === 'synchronous'
        ? { ok: true, ...end }
        : {
            ok: true,
            job: expect.objectContaining({ result: expect.objectContaining(end) as object }) as object,
          },
    ) as object,
  });
}

const refOf = (name: string, way: string): string => `SPECIMEN${(name + way).replace(/[^a-z0-9]/g, '')}`;

test('the documents and our tables name the same analytics', () => {
  expect(NAMES.sort()).toEqual(Object.keys(DOCUMENTED).sort());
});

async function enrol(): Promise<void> {
  const photos = new Map([['selfie', PICTURES.selfie]] as const);
  await clientOf('synchronous').run('face-enrollment', { refNumber: 'ENROLLED01', photos, faceId: FACE });
}
beforeAll(enrol);

describe.each(MODES)('%s', (mode) => {
  test.each(NAMES.filter((name) => name !== 'delete-enrollment'))('%s through the relay', async (name) => {
    const start = arrived.length;
    const refNumber = refOf(name, `relay${mode}`);
    const result = await submit(asking(name, mode, refNumber));
    expectArrival(name, mode, refNumber, start);
    expectResult(name, mode, refNumber, result);
  });

  test.each(NAMES)('%s from a server', async (name) => {
    const client = clientOf(mode);
    const { images } = lineOf(name);
    const photos = new Map(images.map((step) => [step, PICTURES[step]]));
    const start = arrived.length;
    const refNumber = refOf(name, `client${mode}`);
    const result = await client.run(name, { refNumber, photos, faceId: FACE });
    expectArrival(name, mode, refNumber, start);
    expectResult(name, mode, refNumber, result);
    if (name === 'delete-enrollment') await enrol();
  });

  test('a face is enrolled, matched, deleted, and then unknown', async () => {
    const client = clientOf(mode);
    const selfie = new Map([['selfie', PICTURES.selfie]] as const);
    const faceId = mode === 'synchronous' ? '3001' : '3002';
    const run = (name: string, refNumber: string) =>
      client.run(name, { refNumber, faceId, ...(name === 'delete-enrollment' ? {} : { photos: selfie }) });
    const unknown = { code: 'provider-failed' };

    await expect(run('face-match-enrollment', 'TOOEARLY01')).rejects.toMatchObject(unknown);
    expect(await run('face-enrollment', 'ENROL0001')).toMatchObject({ verified: false, match: null });
    expect(await run('face-match-enrollment', 'MATCH0001')).toMatchObject({
      verified: true,
      match: { matched: true },
    });
    expect(await run('face-match-enrollment', 'NOMATCH001')).toMatchObject({
      verified: false,
      match: { matched: false },
    });
    expect(await run('delete-enrollment', 'DELETE0001')).toMatchObject({ verified: false });
    await expect(run('face-match-enrollment', 'TOOLATE001')).rejects.toMatchObject(unknown);
    await expect(run('delete-enrollment', 'DELETE0002')).rejects.toMatchObject(unknown);
  });

  test('a server is told what is wrong before anything is paid for', async () => {
    const client = clientOf(mode);
    const start = arrived.length;
    const invalid = { code: 'configuration-invalid' };
    const refNumber = 'SPECIMEN01';
    await expect(client.run('face-recognition', { refNumber })).rejects.toMatchObject(invalid);
    await expect(client.run('face-liveness-v4', { refNumber })).rejects.toMatchObject(invalid);
    for (const faceId of [null, '', '12a', '1'.repeat(65)])
      await expect(client.run('delete-enrollment', { refNumber, faceId })).rejects.toMatchObject(invalid);
    expect(since(start)).toEqual([]);
  });
});

describe('direct mode', () => {
  test.each(NAMES.filter((name) => name !== 'delete-enrollment'))('%s', async (name) => {
    const start = arrived.length;
    const refNumber = refOf(name, 'direct');
    const result = await submit(asking(name, 'direct', refNumber));
    expectArrival(name, 'asynchronous', refNumber, start);
    expectResult(name, 'asynchronous', refNumber, result);
  });
});

test('a server hears when a job does not end', async () => {
  const photos = new Map([['selfie', PICTURES.selfie]] as const);
  const never = (mode: Mode) =>
    clientOf(mode).run('face-liveness-v4', { refNumber: 'JOBNEVERENDS1', photos });
  const start = arrived.length;
  await expect(never('asynchronous')).rejects.toMatchObject({ code: 'provider-timeout' });
  expect(since(start)).toHaveLength(11);
  await expect(never('synchronous')).rejects.toMatchObject({ code: 'provider-failed' });
});

describe('what a page may ask for', () => {
  /** The code, the words, and whether a provider was asked. */
  async function refusal(submission: SubmitRequest): Promise<unknown> {
    const start = arrived.length;
    const error: unknown = await submit(submission).catch((thrown: unknown) => thrown);
    expect(since(start)).toEqual([]);
    return error instanceof CaptureError ? [error.code, error.message] : error;
  }
  const at = (path: string, name: string): SubmitRequest => ({
    ...asking(name, 'asynchronous', 'SPECIMEN02'),
    tokenEndpoint: new URL(path, PAGE),
  });

  test.each(['/kyc/token', '/kyc/token/direct'])(
    '%s changes no enrolments unless it says so',
    async (path) => {
      expect(await refusal(at(path, 'face-enrollment'))).toEqual([
        'configuration-invalid',
        'this relay does not allow face-enrollment',
      ]);
    },
  );

  test('a deletion is never asked for by a page', async () => {
    for (const way of [...MODES, 'direct'] as const)
      expect(await refusal(asking('delete-enrollment', way, 'SPECIMEN03'))).toEqual([
        'configuration-invalid',
        'an analytic without photos is asked for by a server',
      ]);
  });

  test.each(NAMES.filter((name) => !['delete-enrollment', 'ocr-sim'].includes(name)))(
    '%s is refused by a relay that allows something else',
    async (name) => {
      const narrow = createApp({ ...QUICK, relay: { ...QUICK.relay, analytics: ['ocr-sim'] } });
      const { transport: _, ...asked } = asking(name, 'asynchronous', 'SPECIMEN04');
      for (const path of ['/kyc/token', '/kyc/token/direct']) {
        const submission = { ...asked, transport: request(narrow).transport };
        const tokenEndpoint = new URL(path, PAGE);
        const error: unknown = await submit({ ...submission, tokenEndpoint } as SubmitRequest).catch(
          (thrown: unknown) => thrown,
        );
        expect(error).toMatchObject({
          code: 'configuration-invalid',
          message: `this relay does not allow ${name}`,
        });
      }
    },
  );

  test('the number of a face comes from the server alone', async () => {
    for (const face of ['', 'abc', '1; 2']) {
      const submission = asking('face-match-enrollment', 'asynchronous', 'SPECIMEN05');
      expect(await refusal({ ...submission, tokenHeaders: { 'x-face': face }, faceId: FACE })).toEqual([
        'configuration-invalid',
        'this relay knows no number of this face',
      ]);
    }
    const start = arrived.length;
    await submit({
      ...asking('face-match-enrollment', 'asynchronous', 'SPECIMEN06'),
      faceId: '9999',
      context: { face_id: '9999' },
    });
    expect(since(start)[0]?.body).toMatchObject({ additional_params: { face_id: FACE } });
  });

  test('in direct mode the page has to say it', async () => {
    const start = arrived.length;
    const submission = { ...asking('face-match-enrollment', 'direct', 'SPECIMEN07'), faceId: null };
    await expect(submit(submission)).rejects.toMatchObject({ code: 'configuration-invalid' });
    expect(since(start)).toEqual([]);
  });
});
