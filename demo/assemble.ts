import { cpSync, existsSync, mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { MEDIA } from './people.ts';
import { SAMPLE_PHOTO } from './sample-camera.ts';

/**
 * Puts beside the built demo pages what is not built: the widget with its assets, as a customer
 * would host them, and the face of the sample camera, which comes from a package and is not kept here.
 */

const root = fileURLToPath(new URL('..', import.meta.url));
const target = join(root, 'dist-demo');

for (const path of readdirSync(join(root, 'dist'))) {
  if (!/^(kyc-capture.*\.js|assets)$/.test(path)) continue;
  cpSync(join(root, 'dist', path), join(target, 'kyc', path), { recursive: true });
}
if (!existsSync(join(target, 'kyc', 'kyc-capture.js')))
  throw new Error('dist/ is not built: run `npm run build` first.');

mkdirSync(join(target, 'media'), { recursive: true });
cpSync(join(MEDIA, SAMPLE_PHOTO.file), join(target, 'media', 'face.jpg'));
