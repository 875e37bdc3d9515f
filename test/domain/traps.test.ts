import { describe, expect, test } from 'vitest';
import { readDocument } from '../../src/providers/documents.ts';
import { eendigo } from '../../src/providers/eendigo.ts';
import { identifai } from '../../src/providers/identifai.ts';
import { EENDIGO_ANALYTICS, IDENTIFAI_ANALYTICS, type Analytic } from '../../src/providers/profiles.ts';
import { parseBody, type Outcome, type Provider } from '../../src/providers/provider.ts';

/* Every trap that `providers.md` names, for every analytic that can fall into it. */

const REF = 'SPECIMEN000001';

const readBy = (provider: Provider, analytic: Analytic, body: unknown, status = 200): Outcome =>
  provider.read(
    { status, body: typeof body === 'string' ? body : JSON.stringify(body), header: () => null },
    { analytic, refNumber: REF },
  );

const verdictOf = (outcome: Outcome): string =>
  outcome.kind === 'result'
    ? outcome.result.verified
      ? 'verified'
      : 'not-verified'
    : outcome.kind === 'error'
      ? outcome.error.code
      : outcome.kind;

const ANALYTICS = Object.entries<Analytic>(IDENTIFAI_ANALYTICS).map(([name, analytic]) => ({
  name,
  analytic,
}));
const JUDGING = ANALYTICS.filter(({ analytic }) => analytic.checks.length > 0);

const LIVE = { face_liveness: { live: true, live_score: 0.84 } };
const MATCH = { face_match: { match: true, smimilarity: 0.94 } };
const PRINTED = { NIK: '3171011501900001' };
/** What a provider would say yes with. */
const goodOf = ({ checks, document }: Analytic): object[] => [
  ...checks.map((check) => (check === 'liveness' ? LIVE : MATCH)),
  ...(document === null ? [] : [PRINTED]),
];
const asJob = (result: unknown, status = 'success', more: object = {}): object => ({
  job: { id: 'job-1', result: { status, analytic_type: 'SPECIMEN', result } },
  message: 'SPECIMEN',
  ok: true,
  ...more,
});
const asFlat = (result: unknown, status = 'success', more: object = {}): object => ({
  ok: true,
  message: 'SPECIMEN',
  status,
  result,
  ...more,
});

describe.each([
  ['a job', asJob],
  ['syncv2, which is flat', asFlat],
])('IdentifAI, %s', (_, shape) => {
  describe.each(ANALYTICS)('$name', ({ analytic }) => {
    const good = goodOf(analytic);
    const end = analytic.checks.length > 0 ? 'verified' : 'not-verified';
    const read = (body: unknown, status = 200): Outcome => readBy(identifai, analytic, body, status);

    test('HTTP 202, 201 and 200 are the same', () => {
      for (const status of [202, 201, 200]) expect(verdictOf(read(shape(good), status))).toBe(end);
    });

    test('goes on only while it says so', () => {
      const going = shape === asJob ? 'pending' : 'provider-failed';
      for (const status of ['on going', 'On Going', 'on_going', 'ongoing'])
        expect(verdictOf(read(shape(good, status)))).toBe(going);
      for (const status of ['incompleted', 'failed', 'cancelled', 'suc cess', 'successful', '', 'true'])
        expect(verdictOf(read(shape(good, status)))).toBe('provider-failed');
      for (const status of ['success', 'SUCCESS', ' Success '])
        expect(verdictOf(read(shape(good, status)))).toBe(end);
    });

    test('an end that is not ok, or says nothing of it, is none', () => {
      expect(verdictOf(read(shape(good, 'success', { ok: false })))).toBe('provider-failed');
      for (const ok of [undefined, null, '', 0, 1, 'yes'])
        expect(verdictOf(read(shape(good, 'success', { ok })))).toBe('answer-unreadable');
    });

    test('success with an empty result is a failure, but for what gives none', () => {
      const expected =
        analytic.document !== null
          ? `${analytic.document}-refused`
          : analytic.checks.length > 0
            ? 'provider-failed'
            : 'not-verified';
      for (const empty of [[], {}, null, undefined, '', [{}], [null]])
        expect(verdictOf(read(shape(empty)))).toBe(expected);
    });
  });

  test.each(JUDGING)('$name: ok and success do not verify, only the verdicts do', ({ analytic }) => {
    for (const check of analytic.checks) {
      const other = goodOf(analytic).filter((entry) => entry !== (check === 'liveness' ? LIVE : MATCH));
      const saying = (word: unknown): object[] => [
        ...other,
        check === 'liveness' ? { face_liveness: { live: word } } : { face_match: { match: word } },
      ];
      const outcomes = (word: unknown): string => verdictOf(readBy(identifai, analytic, shape(saying(word))));
      expect(outcomes(true)).toBe('verified');
      expect(outcomes('True')).toBe('verified');
      expect(outcomes(false)).toBe('not-verified');
      expect(outcomes('False')).toBe('not-verified');
      for (const word of ['', 'yes', 1, '1', null, {}, [true]])
        expect(outcomes(word)).toBe(other.length > 0 ? 'not-verified' : 'provider-failed');
    }
  });

  test.each(JUDGING)('$name: of several entries all have to say yes', ({ analytic }) => {
    for (const word of [false, '', null])
      for (const entry of [{ face_liveness: { live: word } }, { face_match: { match: word } }]) {
        const [key] = Object.keys(entry);
        const isAsked = goodOf(analytic).some((good) => Object.keys(good)[0] === key);
        // A verdict that was not asked for counts where it is a no.
        if (!isAsked && word !== false) continue;
        for (const result of [
          [...goodOf(analytic), entry],
          [entry, ...goodOf(analytic)],
        ])
          expect(verdictOf(readBy(identifai, analytic, shape(result)))).not.toBe('verified');
      }
  });

  test.each([
    ['live_score', 'smimilarity'],
    ['liveness', 'similarity'],
  ])('scores are found as %s and %s', (live, match) => {
    const analytic = IDENTIFAI_ANALYTICS['face-match-liveness-v1'];
    const result = [
      { face_liveness: { live: true, [live]: 0.8 } },
      { face_match: { match: true, [match]: '0.9' } },
    ];
    expect(readBy(identifai, analytic, shape(result))).toMatchObject({
      result: { verified: true, liveness: { score: 0.8 }, match: { similarity: 0.9 } },
    });
  });

  test('"Face Liveness Underqualified" has the first entry only, and is a definite no', () => {
    const body = shape([{ face_liveness: { live: false, live_score: 0.2 } }], 'success', {
      message: 'Face Liveness Underqualified',
    });
    expect(readBy(identifai, IDENTIFAI_ANALYTICS['face-match-liveness-v2'], body)).toMatchObject({
      kind: 'result',
      result: { verified: false, liveness: { live: false, score: 0.2 }, match: null },
    });
  });
});

test('an answer with two ends is none', () => {
  const analytic = IDENTIFAI_ANALYTICS['face-liveness-v4'];
  const body = { ...asJob([LIVE]), ...asFlat([{ face_liveness: { live: false } }]) };
  expect(verdictOf(readBy(identifai, analytic, body))).toBe('answer-unreadable');
});

test.each(['', '.', '..', '../../auth', 'a/b', 'a?b', '\ud800', 'x'.repeat(257)])(
  'a job cannot be called %j, which would lead elsewhere',
  (id) => {
    const analytic = IDENTIFAI_ANALYTICS['face-liveness-v4'];
    for (const body of [
      { job_id: id, ok: true },
      { job: { id, result: null }, ok: true },
    ])
      expect(verdictOf(readBy(identifai, analytic, body))).toBe('answer-unreadable');
  },
);

describe('Eendigo', () => {
  const COMPARE = EENDIGO_ANALYTICS.facecompareliveness;
  const body = (compare: unknown, live: unknown, status = 'Success', list = false): object => {
    const checks = { face_compare: { compare }, face_liveness: { live } };
    return {
      status,
      result: list ? Object.entries(checks).map(([name, entry]) => ({ [name]: entry })) : checks,
    };
  };

  test.each([
    ['True', 'True', 'verified'],
    [true, 'TRUE', 'verified'],
    ['False', 'True', 'not-verified'],
    ['True', 'false', 'not-verified'],
    ['', 'True', 'not-verified'],
    ['True', '', 'not-verified'],
    ['', '', 'provider-failed'],
    ['yes', 1, 'provider-failed'],
  ])('compare %j and live %j, in any case of the status, as object or array', (compare, live, expected) => {
    for (const status of ['Success', 'SUCCESS', 'success'])
      for (const list of [false, true])
        expect(verdictOf(readBy(eendigo, COMPARE, body(compare, live, status, list)))).toBe(expected);
  });

  test.each(['FAILED', 'Failed', 'failed', 'Unknown', ''])(
    'two yes under the status %j verify nobody',
    (status) => {
      expect(verdictOf(readBy(eendigo, COMPARE, body('True', 'True', status)))).not.toBe('verified');
    },
  );

  test('two entries of one check have to agree', () => {
    for (const live of ['', 'False', null]) {
      const result = [
        { face_compare: { compare: 'True' }, face_liveness: { live: 'True' } },
        { face_liveness: { live } },
      ];
      expect(verdictOf(readBy(eendigo, COMPARE, { status: 'Success', result }))).toBe('not-verified');
    }
  });

  test.each([
    ['The light is too dim', ['too-dark']],
    ['The light is too bright', ['too-bright']],
    ['the face is covered', ['face-covered']],
    ['do not shake', ['moving']],
    ['Image is blurry', ['blurred']],
    ['Face not detected', ['no-face']],
    ['more than one face', ['multiple-faces']],
    ['The face is too far', ['face-too-far']],
    ['The face is too close', ['face-too-close']],
    ['please take off your mask; overexposed', ['too-bright', 'face-covered']],
  ])('"%s" is told as %j, whether as message or error', (sentence, guidance) => {
    for (const field of ['message', 'error'])
      for (const status of ['FAILED', 'Failed'])
        expect(readBy(eendigo, COMPARE, { status, [field]: sentence })).toMatchObject({
          kind: 'error',
          error: { code: 'selfie-refused', guidance },
        });
  });
});

describe('fields of a card', () => {
  const PLAIN = {
    provinsi: 'PROVINSI SPECIMEN',
    kabupaten_kota: 'KOTA SPECIMEN',
    nik: '3171011501900001',
    nama: 'SPECIMEN',
    tempat_lahir: 'JAKARTA',
    tanggal_lahir: '15-01-1990',
    jenis_kelamin: 'PEREMPUAN',
    gol_darah: 'O',
    alamat: 'JL SPECIMEN 1',
    rt_rw: '006/005',
    kel_desa: 'SPECIMEN',
    kecamatan: 'SPECIMEN',
    agama: 'ISLAM',
    status_perkawinan: 'KAWIN',
    pekerjaan: 'SPECIMEN',
    kewarganegaraan: 'WNI',
    berlaku_hingga: 'SEUMUR HIDUP',
  };
  const LABELLED = {
    PROVINSI: PLAIN.provinsi,
    '': PLAIN.kabupaten_kota,
    NIK: PLAIN.nik,
    Nama: PLAIN.nama,
    'Tempat/Tgl Lahir': 'JAKARTA, 15-01-1990',
    'Jenis Kelamin': PLAIN.jenis_kelamin,
    'Gol. Darah': PLAIN.gol_darah,
    Alamat: PLAIN.alamat,
    'RT/RW': '006 005',
    'Kel/Desa': PLAIN.kel_desa,
    Kecamatan: PLAIN.kecamatan,
    Agama: PLAIN.agama,
    'Status Perkawinan': PLAIN.status_perkawinan,
    Pekerjaan: PLAIN.pekerjaan,
    Kewarganegaraan: PLAIN.kewarganegaraan,
    'Berlaku Hingga': PLAIN.berlaku_hingga,
  };
  test.each<[string, unknown]>([
    ['as printed', LABELLED],
    ['in lower case with underscores', PLAIN],
    ['in a list', [LABELLED]],
    ['in several entries', Object.entries(LABELLED).map(([name, value]) => ({ [name]: value }))],
    [
      'with other words for the same',
      {
        ...PLAIN,
        kabupaten_kota: '',
        'KABUPATEN/KOTA': PLAIN.kabupaten_kota,
        gol_darah: null,
        golongan_darah: 'O',
        kel_desa: undefined,
        'Kelurahan/Desa': 'SPECIMEN',
        rt_rw: ' 006 / 005 ',
      },
    ],
  ])('%s', (_, found) => {
    expect(readDocument(found, 'ktp')).toEqual({ type: 'ktp', fields: PLAIN });
  });

  test.each([
    ['JAKARTA, 15-01-1990', 'JAKARTA', '15-01-1990'],
    ['JAKARTA 15-01-1990', 'JAKARTA', '15-01-1990'],
    ['JAKARTA,15 - 01 - 1990', 'JAKARTA', '15-01-1990'],
    ['KOTA BARU, 5/1/1990', 'KOTA BARU', '5-1-1990'],
    ['15-01-1990', undefined, '15-01-1990'],
    ['JAKARTA', 'JAKARTA', undefined],
  ])('place and date of birth: %s', (text, place, date) => {
    const fields = readDocument({ 'Tempat/Tgl Lahir': text }, 'sim')?.fields;
    expect([fields?.['tempat_lahir'], fields?.['tanggal_lahir']]).toEqual([place, date]);
  });

  test.each<[string, unknown]>([
    ['nothing', undefined],
    ['a word', 'SPECIMEN'],
    ['lists in lists', [['SPECIMEN']]],
    ['empty fields', [{ NIK: '', Nama: '  ', Alamat: null, RT: [], Agama: {} }]],
    ['verdicts', [{ face_liveness: { live: true } }]],
  ])('%s are none', (_, found) => {
    expect(readDocument(found, 'ktp')).toBeNull();
  });

  test('names of a prototype are names like others', () => {
    const found: unknown = JSON.parse('{"__proto__":{"nik":"1"},"constructor":"SPECIMEN","toString":"x"}');
    const fields = readDocument(found, 'ktp')?.fields ?? {};
    expect(Object.entries(fields)).toEqual([
      ['constructor', 'SPECIMEN'],
      ['tostring', 'x'],
    ]);
  });
});

describe('a body that is nearly JSON', () => {
  const HUGE = 2_000_000;
  test.each([
    ['one string without end', `{"a":"${'x'.repeat(HUGE)}`],
    ['escaped quotes without end', `{"a":"${'\\"'.repeat(HUGE / 2)}`],
    ['escaped quotes outside of strings', '\\"'.repeat(HUGE / 2)],
    ['commas', ','.repeat(HUGE)],
    ['spaces after a comma', `{"a":1,${' '.repeat(HUGE)}`],
    ['brackets', '['.repeat(HUGE)],
  ])('%s, two million characters of it, is told from JSON without an error', (_, text) => {
    expect(parseBody(text)).toBeUndefined();
  });

  test('a long one with a comma too many is read', () => {
    const long = 'x,}'.repeat(HUGE / 3);
    expect(parseBody(`{"a":"${long}\\",}",}`)).toEqual({ a: `${long}",}` });
  });
});
