import { randomFrom } from '../accuracy/score.ts';
import {
  AFTER_HEADER,
  type Bytes,
  type Part,
  SIGNATURE,
  announced,
  blackPng,
  box,
  changed,
  chunk,
  deflated,
  frameIn,
  header,
  heif,
  insert,
  join,
  jpegOf,
  long,
  markerIn,
  riff,
  repeated,
  riffChunk,
  segment,
  turned,
} from './formats.ts';

/*
 * Files that somebody could choose in place of a photo, and that none should take: made from whole pictures and a seed,
 * in the browser as in Node.
 */

/** One file that is to be refused. */
export interface HostileFile {
  /** What is wrong with it. */
  readonly told: string;
  /** As a browser tells it from the file's name. */
  readonly type: string;
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly code: 'photo-unreadable' | 'photo-too-large' | 'photo-too-small';
  /** True where only a decoder finds it out. */
  readonly needsDecoder?: boolean;
}

/** Whole pictures that the provider would take. */
export interface Bases {
  readonly jpeg: Uint8Array;
  readonly png: Uint8Array;
  readonly webp: Uint8Array;
}

const SEED = 20261123;
const KINDS = ['jpeg', 'png', 'webp'] as const;

const unreadable = (told: string, type: string, ...parts: readonly Part[]): HostileFile => ({
  told,
  type,
  bytes: join(...parts),
  code: 'photo-unreadable',
});

const tooLarge = (told: string, type: string, ...parts: readonly Part[]): HostileFile => ({
  ...unreadable(told, type, ...parts),
  code: 'photo-too-large',
});

function truncated(bases: Bases): HostileFile[] {
  const random = randomFrom(SEED);
  const cut = (kind: string, whole: Uint8Array, length: number): HostileFile =>
    unreadable(`${kind} cut off after ${length} bytes`, `image/${kind}`, whole.subarray(0, length));
  const files = KINDS.flatMap((kind) => {
    const whole = bases[kind];
    const lengths = [
      1,
      8,
      40,
      whole.length - 1,
      whole.length - 2,
      ...[0.25, 0.5, 0.75, 0.9, 0.99].map((part) => Math.floor(whole.length * part)),
    ];
    const anywhere = Array.from({ length: 6 }, () => 50 + Math.floor(random() * (whole.length - 60)));
    return [...lengths, ...anywhere].map((length) => cut(kind, whole, length));
  });
  const photo = heif(4032, 3024);
  return [...files, ...[6, 20, 60, photo.length - 1].map((length) => cut('heic', photo, length))];
}

const SCRIPT = '<script>SPECIMEN()</script>';

const PAYLOADS: Readonly<Record<string, Part>> = {
  page: `<!DOCTYPE html><html><body>${SCRIPT}</body></html>`,
  'page in capitals': '<HTML><BODY ONLOAD="SPECIMEN()">',
  drawing: `<svg xmlns="http://www.w3.org/2000/svg" onload="SPECIMEN()"/>`,
  frame: '<iframe src="javascript:SPECIMEN()">',
  PHP: '<?php system($_GET["SPECIMEN"]); ?>',
  PHAR: '<?= 1; __HALT_COMPILER(); ?>',
  PDF: '%PDF-1.7\n1 0 obj<</Type/Catalog/OpenAction<</S/JavaScript/JS(SPECIMEN)>>>>endobj',
};

const ARCHIVES: Readonly<Record<string, Part>> = {
  ZIP: ['PK\x03\x04', 'SPECIMEN.class', 'PK\x05\x06', '\0'.repeat(18)].join(''),
  'ZIP with a comment': `PK\x03\x04SPECIMENPK\x05\x06${'\0'.repeat(16)}\x20\x4e${'SPECIMEN'.repeat(2500)}`,
  RAR: 'Rar!\x1a\x07\x01\0SPECIMEN',
  '7z': '7z\xbc\xaf\x27\x1c\0\x04',
};

/** A picture with words where it has room for them. */
const commented = ({ jpeg, png, webp }: Bases, words: Part): Record<(typeof KINDS)[number], Bytes> => ({
  jpeg: insert(jpeg, 2, segment(0xfe, words)),
  png: insert(png, AFTER_HEADER, chunk('tEXt', 'Comment\0', words)),
  webp: riff(webp.subarray(12), riffChunk('XMP ', words)),
});

function polyglots(bases: Bases): HostileFile[] {
  const inside = Object.entries(PAYLOADS).flatMap(([name, payload]) =>
    KINDS.map((kind) =>
      unreadable(`${kind} that is a ${name} as well`, `image/${kind}`, commented(bases, payload)[kind]),
    ),
  );
  const behind = Object.entries({ ...PAYLOADS, ...ARCHIVES }).flatMap(([name, payload]) =>
    (['jpeg', 'png'] as const).map((kind) =>
      unreadable(`${kind} with a ${name} behind it`, `image/${kind}`, bases[kind], payload),
    ),
  );
  const { jpeg, png } = bases;
  const jfif = markerIn(jpeg, 0xe0);
  const script = segment(
    0xe0,
    'JFIF\0\x01\x02\0\0\x01\0\x01\0\0',
    '*/=SPECIMEN();/*'.padEnd(0x2f2a - 16, ' '),
  );
  return [
    ...inside,
    ...behind,
    unreadable(
      'JPEG whose header is a comment of a script',
      'image/jpeg',
      [0xff, 0xd8],
      script,
      jpeg.subarray(jfif + 18),
    ),
    unreadable('page before a JPEG', 'image/jpeg', '<!-- ', jpeg, ` -->${SCRIPT}`),
    unreadable('PDF before a JPEG', 'image/jpeg', '%PDF-1.7\n', jpeg),
    unreadable('ZIP before a PNG', 'image/png', 'PK\x03\x04', png),
    unreadable('GIF that is a script', 'image/gif', 'GIF89a/*', '\0'.repeat(40), '*/=1;SPECIMEN()'),
    unreadable(
      'WebP whose length is a comment of a script',
      'image/webp',
      changed(bases.webp, 4, 0x2f, 0x2a, 0x2a, 0x2f),
    ),
    unreadable(
      'page that spans two looks',
      'image/jpeg',
      jpeg,
      '\0'.repeat(16_384 * 4 - 8 - (jpeg.length % 16_384)),
      SCRIPT,
    ),
  ];
}

async function bombs({ jpeg, png, webp }: Bases): Promise<HostileFile[]> {
  const sizes = [
    [30_000, 30_000],
    [16_384, 16_384],
    [16_000, 12_000],
    [8_400, 8_400],
    [65_535, 2_000],
  ] as const;
  const pngs = await Promise.all(
    sizes.map(async ([width, height]) =>
      tooLarge(`PNG of ${width} x ${height}`, 'image/png', await blackPng(width, height)),
    ),
  );
  const claims = [
    [0x7fffffff, 0x7fffffff],
    [0xffffffff, 1],
    [1, 0xffffffff],
    [100_000, 100_000],
  ].map(([width = 0, height = 0]) =>
    tooLarge(
      `PNG that says ${width} x ${height}`,
      'image/png',
      SIGNATURE,
      header(width, height),
      png.subarray(AFTER_HEADER),
    ),
  );
  const jpegs = [
    [65_500, 65_500],
    [20_000, 20_000],
    [16_384, 16_384],
    [10_000, 7_100],
    [65_535, 1_600],
  ].map(([width = 0, height = 0]) =>
    tooLarge(`JPEG that says ${width} x ${height}`, 'image/jpeg', jpegOf(jpeg, width, height)),
  );
  const others = [
    tooLarge(
      'WebP that says 16383 x 16383',
      'image/webp',
      riff(riffChunk('VP8 ', [0, 0, 0, 0x9d, 1, 0x2a, 0xff, 0x3f, 0xff, 0x3f])),
    ),
    tooLarge(
      'lossless WebP that says 16384 x 16384',
      'image/webp',
      riff(riffChunk('VP8L', [0x2f, 0xff, 0xff, 0xff, 0x0f])),
    ),
    tooLarge('HEIC that says 60000 x 40000', 'image/heic', heif(60_000, 40_000)),
    tooLarge('AVIF that says 65536 x 65536', 'image/avif', heif(65_536, 65_536, 'avif')),
    tooLarge('file of 41 MB', 'image/jpeg', jpeg, new Uint8Array(41_000_000)),
    unreadable(
      'WebP that announces another size',
      'image/webp',
      riff(announced(0, 9000, 7000), webp.subarray(12)),
    ),
  ];
  const inflating = await deflated(150_000_000);
  const extras: Readonly<Record<string, Part>> = {
    'colour profile': chunk('iCCP', 'SPECIMEN\0\0', inflating),
    text: chunk('zTXt', 'SPECIMEN\0\0', inflating),
    'text in another language': chunk('iTXt', 'SPECIMEN\0\x01\0\0\0', inflating),
  };
  const inflated = Object.entries(extras).map(([name, extra]) =>
    unreadable(`PNG whose ${name} inflates to 150 MB`, 'image/png', insert(png, AFTER_HEADER, extra)),
  );
  const many = join(
    ...Array.from({ length: 60 }, () => chunk('zTXt', 'SPECIMEN\0\0', inflating.subarray(0, 2000))),
  );
  const scan = markerIn(jpeg, 0xda);
  const scanLength = 2 + ((jpeg[scan + 2] ?? 0) << 8) + (jpeg[scan + 3] ?? 0);
  const scans = Array.from({ length: 3000 }, () => jpeg.subarray(scan, scan + scanLength));
  const frame = frameIn(jpeg);
  const moving = (count: number): Bytes =>
    join(...Array.from({ length: count }, (_, place) => chunk('fcTL', long(place), new Uint8Array(22))));
  return [
    ...pngs,
    ...claims,
    ...jpegs,
    ...others,
    ...inflated,
    unreadable('PNG with sixty texts that inflate', 'image/png', insert(png, AFTER_HEADER, many)),
    unreadable('JPEG of 3,000 scans', 'image/jpeg', insert(changed(jpeg, frame + 1, 0xc2), scan, ...scans)),
    unreadable(
      'PNG that moves',
      'image/png',
      insert(png, AFTER_HEADER, chunk('acTL', long(10_000), long(0)), moving(100)),
    ),
    unreadable(
      'WebP that moves',
      'image/webp',
      riff(announced(2, 1600, 1200), riffChunk('ANIM', new Uint8Array(6)), webp.subarray(12)),
    ),
    unreadable(
      'HEIC of a million boxes',
      'image/heic',
      heif(4032, 3024),
      repeated([...long(8), 97, 97, 97, 97], 1_000_000),
    ),
    unreadable(
      'PNG of a million chunks and no end',
      'image/png',
      SIGNATURE,
      header(1600, 1200),
      repeated([...long(0), 97, 97, 97, 97, ...long(0)], 1_000_000),
    ),
    unreadable(
      'PNG in half a million parts',
      'image/png',
      insert(png, AFTER_HEADER, repeated(chunk('IDAT'), 500_000)),
    ),
    unreadable(
      'JPEG of two million segments and no end',
      'image/jpeg',
      [0xff, 0xd8],
      repeated([0xff, 0xfe, 0, 2], 2_000_000),
    ),
  ];
}

async function wide({ jpeg }: Bases): Promise<HostileFile[]> {
  const heights = [1, 100, 1000, 2000];
  const pngs = await Promise.all(
    heights.map(async (height) =>
      tooLarge(`PNG of 30000 x ${height}`, 'image/png', await blackPng(30_000, height)),
    ),
  );
  return [
    ...pngs,
    tooLarge('PNG of 1000 x 30000', 'image/png', await blackPng(1000, 30_000)),
    ...heights.map((height) =>
      tooLarge(`JPEG of 30000 x ${height}`, 'image/jpeg', jpegOf(jpeg, 30_000, height)),
    ),
    tooLarge('HEIC of 30000 x 2000', 'image/heic', heif(30_000, 2000)),
    unreadable(
      'WebP that announces 30000 x 1200',
      'image/webp',
      riff(announced(0, 30_000, 1200), riffChunk('VP8L', [0x2f, 0xff, 0xff, 0xff, 0x0f])),
    ),
  ];
}

async function drawings(): Promise<HostileFile[]> {
  const svg = 'xmlns="http://www.w3.org/2000/svg" width="1600" height="1200"';
  const laughs = Array.from(
    { length: 9 },
    (_, depth) => `<!ENTITY l${depth + 1} "${`&l${depth};`.repeat(10)}">`,
  ).join('');
  const texts: Readonly<Record<string, Part>> = {
    'with a script': `<svg ${svg}>${SCRIPT}</svg>`,
    'with a handler': `<svg ${svg} onload="SPECIMEN()"/>`,
    'with a page inside': `<svg ${svg}><foreignObject><iframe xmlns="http://www.w3.org/1999/xhtml" src="javascript:SPECIMEN()"/></foreignObject></svg>`,
    'with entities that multiply': `<?xml version="1.0"?><!DOCTYPE svg [<!ENTITY l0 "SPECIMEN">${laughs}]><svg ${svg}><text>&l9;</text></svg>`,
    'with a file of this machine': `<!DOCTYPE svg [<!ENTITY x SYSTEM "file:///etc/passwd">]><svg ${svg}><text>&x;</text></svg>`,
    'with a picture from elsewhere': `<svg ${svg}><image href="https://specimen.invalid/x.png"/></svg>`,
    'after a mark of its order': `\xef\xbb\xbf<svg ${svg}>${SCRIPT}</svg>`,
    'after empty lines': `${'\n'.repeat(2000)}<svg ${svg}>${SCRIPT}</svg>`,
    'in 16 bits': `\xff\xfe${`<svg ${svg}>${SCRIPT}</svg>`.replace(/./g, '$&\0')}`,
    'of a hundred thousand parts': `<svg ${svg}>${'<g>'.repeat(100_000)}</svg>`,
    packed: join([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3], await deflated(1000, 0x3c)),
  };
  return Object.entries(texts).flatMap(([name, text]) =>
    ['image/svg+xml', 'image/png', 'image/jpeg'].map((type) =>
      unreadable(`SVG ${name}, as ${type}`, type, text),
    ),
  );
}

function disguised({ jpeg, png }: Bases): HostileFile[] {
  const random = randomFrom(SEED);
  const noise = (length: number): Bytes => Uint8Array.from({ length }, () => Math.floor(random() * 256));
  const contents: Readonly<Record<string, Part>> = {
    'nothing at all': '',
    'a text': 'SPECIMEN',
    'a page': PAYLOADS['page'] ?? '',
    'a program for Windows': join('MZ', noise(4000)),
    'a program for Linux': join('\x7fELF', noise(4000)),
    'an app for Android': join('PK\x03\x04', noise(4000)),
    'a PDF': join('%PDF-1.7\n', noise(4000)),
    'a film': join(box('ftyp', 'isom', [0, 0, 2, 0], 'isomavc1mp41'), box('mdat', noise(4000))),
    'a burst of pictures': heif(1600, 1200, 'hevc'),
    'a GIF': join(
      'GIF89a',
      [0x40, 6, 0xb0, 4, 0x80, 0, 0, 0, 0, 0, 255, 255, 255],
      [0x2c, 0, 0, 0, 0, 0x40, 6, 0xb0, 4, 0],
      [2, 2, 0x4c, 1, 0, 0x3b],
    ),
    'a bitmap': join(
      'BM',
      turned(long(70)),
      long(0),
      turned(long(54)),
      turned(long(40)),
      turned(long(30_000)),
      turned(long(30_000)),
      [1, 0, 24, 0],
      new Uint8Array(24),
    ),
    'a TIFF': join('II*\0', turned(long(8)), noise(4000)),
    'an icon': join([0, 0, 1, 0, 1, 0], noise(4000)),
    'a JPEG XL': join([0xff, 0x0a], noise(4000)),
    'a JPEG 2000': join([0, 0, 0, 12], 'jP  \r\n\x87\n', noise(4000)),
    'a piece of WebAssembly': join('\0asm\x01\0\0\0', noise(4000)),
    noise: noise(4000),
    zeros: new Uint8Array(4000),
  };
  const photos = Object.entries(contents).flatMap(([name, content]) =>
    ['image/jpeg', 'image/png'].map((type) => unreadable(`${name}, as ${type}`, type, content)),
  );
  const others = [
    'application/x-msdownload',
    'text/html',
    'application/pdf',
    'text/javascript',
    'video/mp4',
    'image/svg+xml',
  ];
  return [
    ...photos,
    ...others.map((type) => unreadable(`JPEG, as ${type}`, type, jpeg)),
    unreadable('PNG, as application/zip', 'application/zip', png),
  ];
}

async function damaged({ jpeg, png, webp }: Bases): Promise<HostileFile[]> {
  // A whole stream, of half of the rows.
  const half = await deflated(600 * 201);
  const frame = frameIn(jpeg);
  const photo = heif(4032, 3024);
  const decoded = (file: HostileFile): HostileFile => ({ ...file, needsDecoder: true });
  return [
    unreadable('JPEG without height', 'image/jpeg', jpegOf(jpeg, 1600, 0)),
    unreadable('JPEG without width', 'image/jpeg', jpegOf(jpeg, 0, 1200)),
    unreadable(
      'JPEG of two sizes',
      'image/jpeg',
      insert(jpeg, markerIn(jpeg, 0xda), jpeg.subarray(frame, frame + 19)),
    ),
    unreadable('JPEG of no picture', 'image/jpeg', jpeg.subarray(0, markerIn(jpeg, 0xda)), [0xff, 0xd9]),
    unreadable('JPEG of two bytes', 'image/jpeg', [0xff, 0xd8]),
    unreadable('JPEG of a segment without length', 'image/jpeg', insert(jpeg, 2, [0xff, 0xfe, 0, 0])),
    unreadable('PNG without width', 'image/png', SIGNATURE, header(0, 1200), png.subarray(AFTER_HEADER)),
    unreadable('PNG of no picture', 'image/png', SIGNATURE, header(1600, 1200), chunk('IEND')),
    unreadable('PNG without header', 'image/png', SIGNATURE, png.subarray(AFTER_HEADER)),
    unreadable('PNG of a chunk of 4 GB', 'image/png', insert(png, AFTER_HEADER, long(0xffffffff), 'tEXt')),
    unreadable('PNG of a chunk of 2 GB', 'image/png', insert(png, AFTER_HEADER, long(0x7fffffff), 'IDAT')),
    decoded(unreadable('PNG whose header was patched', 'image/png', changed(png, 19, 0xff))),
    decoded(
      unreadable(
        'PNG of rubbish',
        'image/png',
        SIGNATURE,
        header(1600, 1200),
        chunk('IDAT', 'SPECIMEN'),
        chunk('IEND'),
      ),
    ),
    unreadable(
      'PNG of an unknown chunk that matters',
      'image/png',
      insert(png, AFTER_HEADER, chunk('QQQQ', 'SPECIMEN')),
    ),
    decoded(
      unreadable(
        'PNG whose picture ends half way',
        'image/png',
        SIGNATURE,
        header(1600, 1200),
        chunk('IDAT', half),
        chunk('IEND'),
      ),
    ),
    unreadable('WebP of no picture', 'image/webp', riff(announced(0, 1600, 1200))),
    decoded(
      unreadable(
        'WebP of rubbish',
        'image/webp',
        riff(riffChunk('VP8 ', [0, 0, 0, 0x9d, 1, 0x2a, 0x40, 6, 0xb0, 4], 'SPECIMEN'.repeat(50))),
      ),
    ),
    unreadable('WebP of a chunk that is too long', 'image/webp', changed(webp, 16, 0xff, 0xff, 0xff, 0x7f)),
    unreadable('HEIC of a box that never ends', 'image/heic', changed(photo, 0, ...long(1))),
    unreadable(
      'HEIC of a box of 2^64 bytes',
      'image/heic',
      photo,
      long(1),
      'mdat',
      [255, 255, 255, 255, 255, 255, 255, 255],
    ),
    unreadable('HEIC of a box within itself', 'image/heic', photo, long(4), 'meta'),
    unreadable(
      'HEIC without size',
      'image/heic',
      box('ftyp', 'heic', [0, 0, 0, 0], 'mif1'),
      box('meta', long(0)),
      box('mdat', 'SPECIMEN'),
    ),
    unreadable(
      'HEIC of no picture',
      'image/heic',
      box('ftyp', 'heic', [0, 0, 0, 0], 'mif1'),
      box('meta', long(0)),
    ),
  ];
}

async function tiny(): Promise<HostileFile[]> {
  return Promise.all(
    [
      [1, 1],
      [320, 240],
      [16_000, 10],
    ].map(async ([width = 0, height = 0]): Promise<HostileFile> => ({
      ...unreadable(`PNG of ${width} x ${height}`, 'image/png', await blackPng(width, height)),
      code: 'photo-too-small',
      needsDecoder: true,
    })),
  );
}

/** All of them, always the same. */
export async function hostileFiles(bases: Bases): Promise<HostileFile[]> {
  return [
    ...truncated(bases),
    ...polyglots(bases),
    ...(await bombs(bases)),
    ...(await wide(bases)),
    ...(await drawings()),
    ...disguised(bases),
    ...(await damaged(bases)),
    ...(await tiny()),
  ];
}
