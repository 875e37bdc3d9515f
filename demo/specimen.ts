import type { Box } from '../src/domain/geometry.ts';

/**
 * A KTP that nobody holds, drawn as SVG: sharp at any size, and the same text serves the page's
 * sample camera and the tests, which compose it outside the page.
 */

/** The fields of the card, in its order. Everything is invented; the word SPECIMEN lies across it. */
export interface SpecimenFields {
  readonly province: string;
  readonly regency: string;
  readonly nik: string;
  readonly name: string;
  readonly birth: string;
  readonly sex: string;
  readonly blood: string;
  readonly address: string;
  readonly rtRw: string;
  readonly village: string;
  readonly district: string;
  readonly religion: string;
  readonly marriage: string;
  readonly work: string;
  readonly citizenship: string;
  readonly validUntil: string;
}

/** Province 00 and serial 0000 do not exist, so that this can be nobody's number. */
const INVENTED: SpecimenFields = {
  province: 'PROVINSI CONTOH RAYA',
  regency: 'KOTA SPESIMEN',
  nik: '0000004101850000',
  name: 'SPECIMEN CONTOH',
  birth: 'KOTA SPESIMEN, 01-01-1985',
  sex: 'PEREMPUAN',
  blood: 'O',
  address: 'JL. CONTOH NO. 0',
  rtRw: '000/000',
  village: 'KELURAHAN CONTOH',
  district: 'KECAMATAN CONTOH',
  religion: 'ISLAM',
  marriage: 'BELUM KAWIN',
  work: 'KARYAWAN SWASTA',
  citizenship: 'WNI',
  validUntil: 'SEUMUR HIDUP',
};

/** Size of the drawing, px: ID-1 (85.60 x 53.98 mm) at the width that suits both providers. */
export const SPECIMEN_SIZE = { width: 1600, height: 1009 };

export interface SpecimenOptions {
  readonly fields?: Partial<SpecimenFields>;
  /** Data URL of a portrait, 3:4. Default: a drawn one. */
  readonly portrait?: string;
}

/** The photo's place: x 0.75 to 0.96, y 0.28 to 0.74 of the card. */
const PHOTO: Box = { x: 1200, y: 283, width: 336, height: 464 };

/** SVG text of the specimen, SPECIMEN_SIZE large. */
export function specimenSvg(options: SpecimenOptions = {}): string {
  const fields = { ...INVENTED, ...options.fields };
  const content = [heading(fields), rows(fields), photo(PHOTO, '#b4232a', options.portrait)].join('');
  return drawnCard({ ground: ['#c3dfec', '#d9e8ea', '#b3d3e6'], line: '#5f95b5', content, wordAt: 640 });
}

/** What every specimen has in common. */
interface DrawnCard {
  /** Colours of the ground, from the upper left corner to the lower right. */
  readonly ground: readonly [string, string, string];
  /** Colour of the pattern on it. */
  readonly line: string;
  /** SVG text of what is printed. */
  readonly content: string;
  /** Middle of the word SPECIMEN, px from the left. */
  readonly wordAt: number;
}

/** SVG text of a card, SPECIMEN_SIZE large, with the word SPECIMEN across. */
export function drawnCard({ ground, line, content, wordAt }: DrawnCard): string {
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${SPECIMEN_SIZE.width}" height="${SPECIMEN_SIZE.height}" viewBox="0 0 1600 1009" font-family="Arial, 'Liberation Sans', 'DejaVu Sans', sans-serif">`,
    background(ground, line),
    content,
    // Behind the reading direction but before the eye: pale enough to leave the fields legible.
    `<text x="${wordAt}" y="640" font-size="210" font-weight="700" fill="#b3261e" fill-opacity="0.2" text-anchor="middle" transform="rotate(-22 ${wordAt} 560)" letter-spacing="14">SPECIMEN</text>`,
    `<rect x="2" y="2" width="1596" height="1005" rx="58" fill="none" stroke="${line}" stroke-width="3"/>`,
    `</svg>`,
  ].join('');
}

/** The specimen as a data URL, for an image element. */
export function specimenUrl(options: SpecimenOptions = {}): string {
  return svgUrl(specimenSvg(options));
}

/** SVG text as a data URL. */
export function svgUrl(svg: string): string {
  return `data:image/svg+xml;charset=utf-8,${encodeURIComponent(svg)}`;
}

function background(ground: DrawnCard['ground'], line: string): string {
  const waves = Array.from({ length: 26 }, (_, index) => {
    const y = 20 + index * 39;
    return `<path d="M0 ${y} Q 200 ${y - 46} 400 ${y} T 800 ${y} T 1200 ${y} T 1600 ${y}" stroke="${line}" stroke-opacity="0.22" stroke-width="2.5" fill="none"/>`;
  });
  return [
    `<defs><clipPath id="card"><rect width="1600" height="1009" rx="58"/></clipPath>`,
    `<linearGradient id="ground" x1="0" y1="0" x2="1" y2="1"><stop offset="0" stop-color="${ground[0]}"/><stop offset="0.55" stop-color="${ground[1]}"/><stop offset="1" stop-color="${ground[2]}"/></linearGradient></defs>`,
    `<g clip-path="url(#card)"><rect width="1600" height="1009" fill="url(#ground)"/>`,
    ...waves,
    `<circle cx="800" cy="540" r="250" fill="none" stroke="${line}" stroke-opacity="0.25" stroke-width="18"/>`,
    `<circle cx="800" cy="540" r="190" fill="none" stroke="${line}" stroke-opacity="0.2" stroke-width="8"/></g>`,
  ].join('');
}

function heading({ province, regency }: SpecimenFields): string {
  return [province, regency]
    .map(
      (line, index) =>
        `<text x="740" y="${88 + index * 66}" font-size="54" font-weight="700" fill="#161b1f" text-anchor="middle">${escape(line)}</text>`,
    )
    .join('');
}

/** Label, value, and whether it is set in from the margin, as the four lines of the address are. */
function rows(fields: SpecimenFields): string {
  const lines: readonly (readonly [label: string, value: string, inset?: boolean])[] = [
    ['Nama', fields.name],
    ['Tempat/Tgl Lahir', fields.birth],
    ['Jenis Kelamin', fields.sex],
    ['Alamat', fields.address],
    ['RT/RW', fields.rtRw, true],
    ['Kel/Desa', fields.village, true],
    ['Kecamatan', fields.district, true],
    ['Agama', fields.religion],
    ['Status Perkawinan', fields.marriage],
    ['Pekerjaan', fields.work],
    ['Kewarganegaraan', fields.citizenship],
    ['Berlaku Hingga', fields.validUntil],
  ];
  return [
    text(56, 272, 'NIK', 52, 700),
    text(300, 272, `: ${fields.nik}`, 60, 700),
    ...lines.flatMap(([label, value, inset], index) => {
      const y = 344 + index * 53;
      return [text(inset ? 96 : 56, y, label), text(404, y, `: ${value}`, 36, index === 0 ? 700 : 400)];
    }),
    text(860, 344 + 2 * 53, `Gol. Darah : ${fields.blood}`),
    `<text x="1368" y="812" font-size="30" fill="#161b1f" text-anchor="middle">${escape(fields.regency)}</text>`,
    `<text x="1368" y="852" font-size="30" fill="#161b1f" text-anchor="middle">01-01-2020</text>`,
    signature(1270, 930),
  ].join('');
}

/** One line of print, from its left end. */
export function text(x: number, y: number, content: string, size = 36, weight = 400): string {
  return `<text x="${x}" y="${y}" font-size="${size}" font-weight="${weight}" fill="#161b1f">${escape(content)}</text>`;
}

export function signature(x: number, y: number): string {
  return `<path d="M${x} ${y} q 40 -60 70 -10 t 60 -14 q 30 -30 50 10 t 40 -6" stroke="#20262b" stroke-width="5" fill="none"/>`;
}

/**
 * A portrait in its place on the card.
 * @param colour of the wall behind; on a KTP red stands for an odd year of birth
 * @param portrait data URL; a drawn person where there is none
 */
export function photo({ x, y, width, height }: Box, colour: string, portrait?: string): string {
  const ground = `<rect x="${x}" y="${y}" width="${width}" height="${height}" fill="${colour}"/>`;
  if (portrait) {
    return `${ground}<image href="${escape(portrait)}" x="${x}" y="${y}" width="${width}" height="${height}" preserveAspectRatio="xMidYMid slice"/>`;
  }
  return `${ground}<svg x="${x}" y="${y}" width="${width}" height="${height}" viewBox="0 0 336 464">${drawnPerson()}</svg>`;
}

function drawnPerson(): string {
  return [
    `<defs><radialGradient id="skin" cx="0.45" cy="0.4" r="0.75"><stop offset="0" stop-color="#dcab84"/><stop offset="1" stop-color="#a9734c"/></radialGradient></defs>`,
    `<path d="M16 464 C 24 372 96 348 168 348 C 240 348 312 372 320 464 Z" fill="#eef0f2"/>`,
    `<path d="M128 286 h80 v62 q -40 44 -80 0 Z" fill="#b57f57"/>`,
    `<path d="M62 236 C 34 96 96 44 168 44 C 240 44 302 96 274 236 L 262 300 L 74 300 Z" fill="#201a17"/>`,
    `<ellipse cx="168" cy="206" rx="88" ry="116" fill="url(#skin)"/>`,
    `<path d="M82 172 C 92 96 140 84 176 88 C 222 90 246 116 254 172 C 232 128 196 118 168 120 C 132 118 104 132 82 172 Z" fill="#201a17"/>`,
    ...[126, 210].map(
      (x) =>
        `<path d="M${x - 24} 176 q 24 -14 48 0" stroke="#2a1d15" stroke-width="7" fill="none"/>` +
        `<ellipse cx="${x}" cy="198" rx="19" ry="9.5" fill="#f4efe9"/><circle cx="${x}" cy="198" r="9" fill="#3a2416"/><circle cx="${x + 2}" cy="196" r="2.6" fill="#fff"/>` +
        `<path d="M${x - 20} 195 q 20 -14 40 0" stroke="#2a1d15" stroke-width="3.4" fill="none"/>`,
    ),
    `<path d="M162 204 q -12 40 -16 50 q 22 14 44 0 q -5 -14 -16 -50" fill="#93603d" fill-opacity="0.32"/>`,
    `<path d="M152 258 q 6 5 12 1 M172 259 q 6 4 12 -1" stroke="#6d4227" stroke-width="4" fill="none"/>`,
    `<path d="M132 284 q 20 -11 36 -4 q 16 -7 36 4 q -36 26 -72 0 Z" fill="#9c4b45"/>`,
    `<path d="M132 284 q 36 7 72 0" stroke="#6b2b28" stroke-width="3" fill="none"/>`,
  ].join('');
}

function escape(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;');
}
