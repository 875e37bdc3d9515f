import type { Size } from '../domain/geometry.ts';
import { LARGEST_FILE, readPhotoFile, type PhotoFile } from '../domain/photo-file.ts';
import { CaptureError } from '../domain/result.ts';

/** A larger picture is scaled down before it is judged, px: no provider takes more, and small phones have little memory. */
const LARGEST_SIDE = 2600;

/** A file that takes longer to decode is given up, ms. Assumed: people wait no longer. */
const DECODED_WITHIN = 20_000;

/**
 * The picture in a file that was chosen, upright, no larger than a photo needs to be. Only pixels leave the file.
 * @throws CaptureError `photo-unreadable`, `photo-too-large`
 */
export async function pictureIn(file: File): Promise<ImageBitmap> {
  if (file.size > LARGEST_FILE)
    throw new CaptureError('photo-too-large', `The file has ${file.size} bytes, more than ${LARGEST_FILE}.`);
  const bytes = await file.arrayBuffer().catch(() => {
    throw new CaptureError('photo-unreadable', 'The file cannot be read.');
  });
  const said = readPhotoFile(new Uint8Array(bytes), file.type);
  if (said.packed && !(await unpacks(file, said.packed)))
    throw new CaptureError('photo-unreadable', 'The picture in the file is not whole.');
  const picture = await decode(file);
  if (!isAsSaid(picture, said)) {
    picture.close();
    throw new CaptureError('photo-unreadable', 'The picture has another size than the file says.');
  }
  const scale = LARGEST_SIDE / Math.max(picture.width, picture.height);
  if (scale >= 1) return picture;
  try {
    return await createImageBitmap(picture, {
      resizeWidth: Math.round(picture.width * scale),
      resizeHeight: Math.round(picture.height * scale),
      resizeQuality: 'high',
    });
  } finally {
    picture.close();
  }
}

/** True where there is a whole picture, or a browser that cannot tell; what comes after it matters to nobody. */
async function unpacks(file: File, { parts, unpacked }: NonNullable<PhotoFile['packed']>): Promise<boolean> {
  if (typeof DecompressionStream === 'undefined') return true;
  const packed = new Blob(parts.map(({ start, end }) => file.slice(start, end)));
  const reader = packed.stream().pipeThrough(new DecompressionStream('deflate')).getReader();
  let left = unpacked;
  try {
    while (left > 0) {
      const { value } = await reader.read();
      if (!value) return false;
      left -= value.length;
    }
    return true;
  } catch {
    return false;
  } finally {
    reader.cancel().catch(() => undefined);
  }
}

function decode(file: File): Promise<ImageBitmap> {
  const decoding = createImageBitmap(file);
  return new Promise((resolve, reject) => {
    const refuse = (why: string): void => reject(new CaptureError('photo-unreadable', why));
    const late = setTimeout(() => {
      refuse('The file took too long to decode.');
      void decoding.then(
        (picture) => picture.close(),
        () => undefined,
      );
    }, DECODED_WITHIN);
    decoding
      .then(resolve, () => refuse('This browser cannot read the file as a picture.'))
      .finally(() => clearTimeout(late));
  });
}

/** What is turned by its EXIF has its sides exchanged; of a HEIF only a part may be shown. */
function isAsSaid({ width, height }: Size, { kind, size }: PhotoFile): boolean {
  if (kind === 'heif') return Math.max(width, height) <= Math.max(size.width, size.height);
  return (width === size.width && height === size.height) || (width === size.height && height === size.width);
}
