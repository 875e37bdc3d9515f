import type { Step } from '../src/domain/result.ts';
import { drawnCard, photo, signature, specimenSvg, text } from './specimen.ts';

/**
 * A specimen of every card, as SVG text, SPECIMEN_SIZE large. SIM and NPWP belong to the same invented person as the
 * KTP; their numbers are zeros.
 */
export const SPECIMENS: Record<Exclude<Step, 'selfie'>, string> = {
  ktp: specimenSvg(),
  sim: sim(),
  npwp: npwp(),
};

/** Label and value in two columns, one line each. */
function rows(
  x: number,
  column: number,
  y: number,
  step: number,
  lines: readonly [string, string][],
): string {
  return lines
    .map(([label, value], index) => {
      const line = y + index * step;
      return (
        text(x, line, label) + text(column, line, `${label && ': '}${value}`, 36, index === 0 ? 700 : 400)
      );
    })
    .join('');
}

/** The portrait of a driving licence is on the left. */
function sim(): string {
  const content = [
    text(60, 104, 'SURAT IZIN MENGEMUDI', 68, 700),
    text(60, 160, 'DRIVING LICENCE · REPUBLIK CONTOH', 38, 700),
    `<rect x="1370" y="50" width="160" height="140" rx="16" fill="none" stroke="#8a2f2a" stroke-width="8"/>`,
    text(1408, 162, 'A', 118, 700),
    photo({ x: 70, y: 270, width: 336, height: 464 }, '#3268a8'),
    text(470, 262, '0000-0000-000000', 60, 700),
    rows(470, 800, 350, 64, [
      ['1. Nama', 'SPECIMEN CONTOH'],
      ['2. Tempat lahir', 'KOTA SPESIMEN'],
      ['Tgl lahir', '01-01-1985'],
      ['3. Gol. darah', 'O'],
      ['Kelamin', 'PEREMPUAN'],
      ['4. Alamat', 'JL. CONTOH NO. 0, RT 000/000'],
      ['', 'KELURAHAN CONTOH, KOTA SPESIMEN'],
      ['5. Pekerjaan', 'KARYAWAN SWASTA'],
      ['6. Wilayah', 'PROVINSI CONTOH RAYA'],
    ]),
    text(70, 800, 'Berlaku hingga', 34),
    text(70, 848, '01-01-2031', 42, 700),
    signature(1240, 940),
  ].join('');
  return drawnCard({ ground: ['#efd0c8', '#eddfd6', '#e3bdb6'], line: '#b5655f', content, wordAt: 860 });
}

/** A tax card has no portrait. */
function npwp(): string {
  const content = [
    `<circle cx="140" cy="120" r="70" fill="none" stroke="#7a5a10" stroke-width="10"/>`,
    `<path d="M140 66 V174 M86 120 H194" stroke="#7a5a10" stroke-width="10"/>`,
    text(250, 104, 'KEMENTERIAN KEUANGAN CONTOH', 46, 700),
    text(250, 162, 'DIREKTORAT JENDERAL PAJAK CONTOH', 46, 700),
    text(80, 296, 'NPWP', 56, 700),
    text(330, 296, ': 00.000.000.0-000.000', 70, 700),
    rows(80, 330, 392, 66, [
      ['Nama', 'SPECIMEN CONTOH'],
      ['NIK', '0000004101850000'],
      ['Alamat', 'JL. CONTOH NO. 0, RT 000 RW 000'],
      ['', 'KELURAHAN CONTOH, KECAMATAN CONTOH'],
      ['', 'KOTA SPESIMEN, PROVINSI CONTOH RAYA'],
      ['KPP', 'KANTOR PELAYANAN PAJAK CONTOH'],
    ]),
    text(80, 860, 'Tanggal terdaftar', 34),
    text(80, 910, '01-01-2020', 42, 700),
    text(1030, 910, 'www.contoh.invalid', 40, 700),
  ].join('');
  return drawnCard({ ground: ['#f0dc9c', '#efe4c0', '#e2c878'], line: '#a8862c', content, wordAt: 800 });
}
