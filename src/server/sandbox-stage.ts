import type { Context } from 'hono';
import { isJpeg, readJpegSize } from '../domain/jpeg.ts';
import type { DocumentType, Step } from '../domain/result.ts';
import type { Analytic } from '../providers/profiles.ts';
import { decodes } from './jpeg.ts';
import type { Refusal, SandboxCase } from './sandbox-cases.ts';

/** What arrived as one picture; never the picture. */
export interface ReceivedImage {
  /** The name or place in the request. */
  readonly name: string;
  readonly type: string;
  readonly bytes: number;
  readonly width: number | null;
  readonly height: number | null;
  readonly decoded: boolean;
}

/** What arrived in one submission. */
export interface Received {
  readonly provider: 'identifai' | 'eendigo';
  /** By the provider's name. */
  readonly analytic: string;
  /** Names of all fields beside the pictures, in their order. */
  readonly fields: readonly string[];
  readonly images: readonly ReceivedImage[];
  /** Which photo came first, as far as the shapes tell; null where they do not. */
  readonly order: readonly Step[] | null;
}

/** What a fault sends instead of JSON. */
export const PAGE = '<!doctype html><html><body><h1>SPECIMEN: not what you asked for</h1></body></html>';

/** Between the first half of an answer that is cut off and its end, ms. */
const TEAR_AFTER = 50;

/** Sends the answer, or what its case makes of it on the way. */
export function deliver(
  c: Context,
  { answer }: SandboxCase,
  body: string,
  status: 200 | 201 | 202,
): Response {
  if (answer === 'nonsense') return c.html(PAGE);
  const headers = { 'content-type': 'application/json' };
  if (answer !== 'cut-off') return c.body(body, status, headers);
  let sent = false;
  const torn = new ReadableStream<Uint8Array>({
    async pull(controller) {
      if (sent) {
        // A server holds the first bytes back for a moment; only what breaks after that breaks on the wire.
        await new Promise((resolve) => setTimeout(resolve, TEAR_AFTER));
        controller.error(new Error('SPECIMEN: connection cut off'));
      } else {
        controller.enqueue(new TextEncoder().encode(body.slice(0, body.length / 2)));
        sent = true;
      }
    },
  });
  return c.body(torn, status, headers);
}

/** What came of decoding the latest pictures, by their digests: whoever tries one case after the other sends the same. */
const decodedBefore = new Map<string, boolean>();
const MOST_REMEMBERED = 16;

async function canBeDecoded(bytes: Uint8Array<ArrayBuffer>): Promise<boolean> {
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes)).join();
  const decoded = decodedBefore.get(digest) ?? decodes(bytes);
  decodedBefore.delete(digest);
  decodedBefore.set(digest, decoded);
  const [oldest = ''] = decodedBefore.keys();
  if (decodedBefore.size > MOST_REMEMBERED) decodedBefore.delete(oldest);
  return decoded;
}

/** What can be told of a picture without keeping it. */
export async function inspect(
  name: string,
  type: string,
  bytes: Uint8Array<ArrayBuffer>,
): Promise<ReceivedImage> {
  const size = readJpegSize(bytes);
  const small = size !== null && size.width * size.height <= 12_000_000;
  return {
    name,
    type,
    bytes: bytes.length,
    width: size?.width ?? null,
    height: size?.height ?? null,
    decoded: isJpeg(bytes) && small && (await canBeDecoded(bytes)),
  };
}

/** Which photo came first. A card is 1.586 times as wide as high, and upright pictures are none. */
export function tellOrder(pictures: readonly ReceivedImage[]): readonly Step[] | null {
  const cards = pictures
    .map(({ width, height }) => (width ?? 0) / (height ?? 1))
    .map((ratio) => ({
      sure: Math.abs(ratio - 1.586) < 0.05,
      never: ratio <= 1,
    }));
  const [first, second] = cards;
  if (!first || !second) return null;
  if ((first.sure && !second.sure) || (second.never && !first.never)) return ['ktp', 'selfie'];
  if ((second.sure && !first.sure) || (first.never && !second.never)) return ['selfie', 'ktp'];
  return null;
}

/** The refusal of a case, where it is about something that the analytic looks at; else null. */
export function refusalOf({ refusal }: SandboxCase, { photos, document }: Analytic): Refusal | null {
  if (!refusal) return null;
  const isAbout = {
    request: true,
    selfie: photos.includes('selfie'),
    portrait: document === null && photos.includes('ktp'),
    print: document !== null,
  }[refusal.of];
  return isAbout ? refusal : null;
}

/** What is printed on each specimen. */
const PRINTED: Record<DocumentType, Readonly<Record<string, string>>> = {
  ktp: {
    PROVINSI: 'PROVINSI SPECIMEN',
    // As documented: the regency has no name.
    '': 'KOTA SPECIMEN',
    NIK: '3171011501900001',
    Nama: 'SPECIMEN PERTAMA',
    'Tempat/Tgl Lahir': 'JAKARTA, 15-01-1990',
    'Jenis Kelamin': 'LAKI-LAKI',
    'Gol. Darah': 'O',
    Alamat: 'JL SPECIMEN 1',
    'RT/RW': '001 002',
    'Kel/Desa': 'SPECIMEN',
    Kecamatan: 'SPECIMEN',
    Agama: 'ISLAM',
    'Status Perkawinan': 'BELUM KAWIN',
    Pekerjaan: 'KARYAWAN SWASTA',
    Kewarganegaraan: 'WNI',
    'Berlaku Hingga': 'SEUMUR HIDUP',
  },
  sim: {
    'No. SIM': '900112345678',
    Nama: 'SPECIMEN PERTAMA',
    'Tempat/Tgl Lahir': 'JAKARTA 15-01-1990',
    Alamat: 'JL SPECIMEN 1',
  },
  npwp: {
    NPWP: '09.254.294.3-407.000',
    Nama: 'SPECIMEN PERTAMA',
    NIK: '3171011501900001',
    Alamat: 'JL SPECIMEN 1',
  },
};

/** The same in lower case and with underscores. */
const UNDERSCORED: Record<DocumentType, Readonly<Record<string, string>>> = {
  ktp: {
    provinsi: 'PROVINSI SPECIMEN',
    kabupaten_kota: 'KOTA SPECIMEN',
    nik: '3171011501900001',
    nama: 'SPECIMEN PERTAMA',
    tempat_lahir: 'JAKARTA',
    tanggal_lahir: '15-01-1990',
    jenis_kelamin: 'LAKI-LAKI',
    golongan_darah: 'O',
    alamat: 'JL SPECIMEN 1',
    rt_rw: '001/002',
    kelurahan_desa: 'SPECIMEN',
    kecamatan: 'SPECIMEN',
    agama: 'ISLAM',
    status_perkawinan: 'BELUM KAWIN',
    pekerjaan: 'KARYAWAN SWASTA',
    kewarganegaraan: 'WNI',
    berlaku_hingga: 'SEUMUR HIDUP',
  },
  sim: {
    nomor_sim: '900112345678',
    nama: 'SPECIMEN PERTAMA',
    tempat_lahir: 'JAKARTA',
    tanggal_lahir: '15-01-1990',
    alamat: 'JL SPECIMEN 1',
  },
  npwp: {
    npwp: '09.254.294.3-407.000',
    nama: 'SPECIMEN PERTAMA',
    nik: '3171011501900001',
    alamat: 'JL SPECIMEN 1',
  },
};

/** What OCR finds on a specimen, in either spelling that providers use. */
export const cardFields = (
  type: DocumentType,
  spelling: 'printed' | 'underscored',
): Readonly<Record<string, string>> => (spelling === 'printed' ? PRINTED : UNDERSCORED)[type];

/** Waits, but not for somebody who has gone. */
export function wait(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, milliseconds);
    signal.addEventListener('abort', () => {
      clearTimeout(timer);
      resolve();
    });
  });
}
