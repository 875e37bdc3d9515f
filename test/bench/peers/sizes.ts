import { createHash } from 'node:crypto';
import { promisify } from 'node:util';
import { brotliCompress, constants, gzip } from 'node:zlib';

const zip = promisify(gzip);
const squeeze = promisify(brotliCompress);

/** Bytes of a file as it is, after gzip -9 and after brotli -11. */
export interface Sizes {
  readonly raw: number;
  readonly gzip: number;
  readonly brotli: number;
}

/** Brotli takes half a minute for a runtime, and peers share theirs. */
const known = new Map<string, Promise<Sizes>>();

/** Sizes of a file; the same bytes are compressed once. */
export function sizesOf(body: Uint8Array): Promise<Sizes> {
  const hash = createHash('sha256').update(body).digest('hex');
  const sizes = known.get(hash) ?? compress(body);
  known.set(hash, sizes);
  return sizes;
}

async function compress(body: Uint8Array): Promise<Sizes> {
  const best = { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_SIZE_HINT]: body.length };
  const [zipped, squeezed] = await Promise.all([zip(body, { level: 9 }), squeeze(body, { params: best })]);
  return { raw: body.length, gzip: zipped.length, brotli: squeezed.length };
}
