import { pick } from './brush.ts';

/*
 * Invented people, as a KTP tells of them.
 */

interface Place {
  readonly province: string;
  readonly regency: string;
  /** First four digits of a NIK. */
  readonly code: string;
  readonly districts: readonly string[];
}

const PLACES: readonly Place[] = [
  {
    province: 'JAWA BARAT',
    regency: 'KABUPATEN BANDUNG',
    code: '3204',
    districts: ['CILEUNYI', 'BALEENDAH', 'SOREANG'],
  },
  {
    province: 'JAWA TIMUR',
    regency: 'KOTA SURABAYA',
    code: '3578',
    districts: ['GUBENG', 'WONOKROMO', 'RUNGKUT'],
  },
  {
    province: 'DKI JAKARTA',
    regency: 'JAKARTA SELATAN',
    code: '3174',
    districts: ['TEBET', 'CILANDAK', 'PANCORAN'],
  },
  {
    province: 'BALI',
    regency: 'KOTA DENPASAR',
    code: '5171',
    districts: ['DENPASAR TIMUR', 'DENPASAR BARAT'],
  },
  {
    province: 'SUMATERA UTARA',
    regency: 'KOTA MEDAN',
    code: '1271',
    districts: ['MEDAN BARU', 'MEDAN SELAYANG'],
  },
  {
    province: 'SULAWESI SELATAN',
    regency: 'KABUPATEN GOWA',
    code: '7306',
    districts: ['SOMBA OPU', 'PALLANGGA'],
  },
  { province: 'KALIMANTAN TIMUR', regency: 'KOTA BALIKPAPAN', code: '6471', districts: ['BALIKPAPAN KOTA'] },
  {
    province: 'JAWA TENGAH',
    regency: 'KABUPATEN SLEMAN',
    code: '3404',
    districts: ['DEPOK', 'NGAGLIK', 'MLATI'],
  },
];
const WOMEN = ['SITI', 'DEWI', 'RATNA', 'AYU', 'PUTRI', 'WULAN', 'INDAH', 'FITRI', 'NURUL', 'LESTARI'];
const MEN = ['BUDI', 'AGUS', 'RIZKY', 'WAYAN', 'HENDRA', 'EKO', 'BAYU', 'JOKO', 'FAJAR', 'SURYA'];
const LAST = [
  'CONTOH',
  'PERCOBAAN',
  'SANTOSA',
  'WIBOWO',
  'HASANAH',
  'PRATAMA',
  'SIREGAR',
  'MAHARANI',
  'KUSUMA',
];
const STREETS = [
  'JL. MELATI',
  'JL. KENANGA RAYA',
  'DUSUN KARANGJATI',
  'JL. ANGGREK',
  'GG. MAWAR',
  'JL. CEMARA',
];
const VILLAGES = ['SUKAMAJU', 'KARANGREJO', 'SIDOMULYO', 'TANJUNGSARI', 'MEKARWANGI'];
const RELIGIONS = ['ISLAM', 'KRISTEN', 'KATHOLIK', 'HINDU', 'BUDHA'];
const MARITAL = ['KAWIN', 'BELUM KAWIN', 'CERAI MATI'];
const WORK = ['KARYAWAN SWASTA', 'WIRASWASTA', 'PELAJAR/MAHASISWA', 'GURU', 'PEGAWAI NEGERI SIPIL', 'PETANI'];

/** What is written on a specimen. */
export interface Person {
  readonly place: Place;
  readonly number: string;
  readonly bornInOddYear: boolean;
  /** Labels and values in the order of the card, from the name on; a second pair stands on the same line. */
  readonly fields: readonly (readonly [string, string, string?])[];
  readonly issued: readonly [string, string];
}

/** Invents somebody. */
export function inventPerson(random: () => number, female: boolean): Person {
  const place = pick(random, PLACES);
  const two = (value: number): string => String(value).padStart(2, '0');
  const day = 1 + Math.floor(28 * random());
  const month = 1 + Math.floor(12 * random());
  const year = 1955 + Math.floor(50 * random());
  const district = pick(random, place.districts);
  const serial = String(1 + Math.floor(40 * random())).padStart(4, '0');
  const born = `${two(day)}-${two(month)}-${year}`;
  const city = place.regency.replace(/^(KOTA|KABUPATEN) /, '');
  return {
    place,
    number: [
      place.code,
      two(1 + Math.floor(20 * random())),
      two(female ? day + 40 : day),
      two(month),
      two(year % 100),
      serial,
    ].join(''),
    bornInOddYear: year % 2 === 1,
    fields: [
      ['Nama', `${pick(random, female ? WOMEN : MEN)} ${pick(random, LAST)}`],
      ['Tempat/Tgl Lahir', `${city}, ${born}`],
      [
        'Jenis Kelamin',
        female ? 'PEREMPUAN' : 'LAKI-LAKI',
        `Gol. Darah : ${pick(random, ['A', 'B', 'O', '-'])}`,
      ],
      ['Alamat', `${pick(random, STREETS)} NO. ${1 + Math.floor(90 * random())}`],
      ['     RT/RW', `0${two(1 + Math.floor(12 * random()))}/0${two(1 + Math.floor(12 * random()))}`],
      ['     Kel/Desa', pick(random, VILLAGES)],
      ['     Kecamatan', district],
      ['Agama', pick(random, RELIGIONS)],
      ['Status Perkawinan', pick(random, MARITAL)],
      ['Pekerjaan', pick(random, WORK)],
      ['Kewarganegaraan', 'WNI'],
      ['Berlaku Hingga', 'SEUMUR HIDUP'],
    ],
    issued: [
      city,
      `${two(1 + Math.floor(28 * random()))}-${two(1 + Math.floor(12 * random()))}-${2012 + Math.floor(12 * random())}`,
    ],
  };
}
