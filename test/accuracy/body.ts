import { type Degradation, either, middle, type Picture } from './degradations.ts';
import { place, ramp, warp } from './paint.ts';

/*
 * Bodies that lean. The steps are those of the providers' examples of a tilted body: 15 degrees and more.
 */

/** Chin of the landmarks. */
const CHIN = 152;

/**
 * Everything below the chin turns about the neck, and the head stays. Beside the head the turn begins higher, because
 * the shoulder that goes up may come to lie beside the jaw.
 */
function lean({ context, points, face }: Picture, degrees: number): void {
  const chin = points[CHIN] ?? { x: face.x + face.width / 2, y: face.y + face.height };
  const neck = { x: chin.x, y: chin.y + 0.2 * face.height };
  const radians = (-degrees * Math.PI) / 180;
  warp(context, (x, y) => {
    const beside = ramp(Math.abs(x - chin.x), 0.6 * face.width, face.width);
    const from = chin.y - 0.45 * face.height * beside;
    const angle = radians * ramp(y, from, from + 0.3 * face.height);
    const [cos, sin] = [Math.cos(angle), Math.sin(angle)];
    const [dx, dy] = [x - neck.x, y - neck.y];
    return { x: neck.x + cos * dx - sin * dy, y: neck.y + sin * dx + cos * dy };
  });
}

/** Ways to lean, for good photos. */
export const BODY_DEGRADATIONS: readonly Degradation[] = [
  {
    code: 'body-tilted',
    may: ['head-tilted'],
    name: 'body leans, head upright',
    unit: 'degrees',
    steps: [15, 18, 21, 24],
    paint: (picture, degrees) => lean(picture, degrees * either(picture.random)),
  },
  {
    code: 'body-tilted',
    may: ['head-tilted'],
    name: 'head and body lean',
    unit: 'degrees',
    steps: [16, 20, 24, 28],
    paint: ({ context, face, random }, degrees) =>
      place(context, middle(face), { degrees: degrees * either(random) }),
  },
];
