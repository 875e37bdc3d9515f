import type { Box, Point, Size } from '../../src/domain/geometry.ts';
import type { Face, Landmark } from '../../src/domain/observation.ts';
import type { GuidanceCode } from '../../src/domain/result.ts';
import { linear, type Mesh, place, ramp, relight, turnHead } from './paint.ts';

/*
 * Good photos, spoilt in known steps. Each degradation is data and a function that paints it; what it must be reported
 * as follows from the step, not from what the rules measure.
 */

/** A head cut out of another good photo. */
export interface Head {
  readonly bitmap: ImageBitmap;
  /** The box of its landmarks, px of `bitmap`. */
  readonly face: Box;
}

/** A good picture that is to be spoilt. All px are of `context`'s canvas, on which `source` is drawn already. */
export interface Picture {
  readonly context: OffscreenCanvasRenderingContext2D;
  readonly source: ImageBitmap;
  readonly size: Size;
  /** By MediaPipe's numbers, 478 of them; z grows away from the camera. */
  readonly points: readonly Landmark[];
  /** The box round all landmarks. */
  readonly face: Box;
  /** Between the middles of the eyes. */
  readonly eyeDistance: number;
  /** The box of the oval that the person would see. */
  readonly guide: Box;
  readonly mesh: Mesh;
  /**
   * How the head lies already, degrees as in `Face`, by the landmarks of the unspoilt photo. Heads are turned to an angle,
   * not by one: who looks up by ten in a photo would look down by 18 after a nod of 28.
   */
  readonly pose: Pick<Face, 'yaw' | 'pitch'>;
  /** Somebody else. */
  readonly other: Head;
  /** The same numbers for every frame of a sample. */
  readonly random: () => number;
  /** Seconds since the first frame. */
  readonly time: number;
}

/** A way to spoil a picture. */
export interface Degradation {
  /** What has to be reported; null for a change so small that nothing may be. */
  readonly code: GuidanceCode | null;
  /** What is right to report too. */
  readonly may: readonly GuidanceCode[];
  readonly name: string;
  /** What `steps` counts. */
  readonly unit: string;
  readonly steps: readonly number[];
  /** True where every frame is painted anew, at its own `time`, and frames follow each other as a camera's do. */
  readonly moves?: boolean;
  readonly paint: (picture: Picture, step: number) => void | Promise<void>;
}

export const middle = ({ x, y, width, height }: Box): Point => ({ x: x + width / 2, y: y + height / 2 });
export const either = (random: () => number): number => (random() < 0.5 ? -1 : 1);

/** Stored noise of a sensor in little light. */
const DARK_GRAIN = 4;

/** Light that this share of the face exceeds. */
function lightExceededBy({ context, face }: Picture, share: number): number {
  // The middle of the box is skin; its corners are hair and wall.
  const { data } = context.getImageData(
    face.x + 0.15 * face.width,
    face.y + 0.1 * face.height,
    0.7 * face.width,
    0.8 * face.height,
  );
  const lights: number[] = [];
  for (let i = 0; i < data.length; i += 16)
    lights.push(
      0.299 * linear(data[i] ?? 0) + 0.587 * linear(data[i + 1] ?? 0) + 0.114 * linear(data[i + 2] ?? 0),
    );
  lights.sort((a, b) => b - a);
  return lights[Math.floor(share * (lights.length - 1))] ?? 1;
}

/** A shadow over one side of a line through `at`, which lies across `direction`. */
function shade({ context, face }: Picture, at: Point, direction: Point, ratio: number): void {
  const edge = 0.12 * face.width;
  relight(context, (light, x, y) => {
    const along = (x - at.x) * direction.x + (y - at.y) * direction.y;
    return light * (1 + (ratio - 1) * ramp(along, -edge, edge));
  });
}

/** 1 on head and shoulders, 0 beside them, with a soft edge. */
function personMask({ face }: Picture): (x: number, y: number) => number {
  const head = middle(face);
  const [across, down] = [0.66 * face.width, 0.8 * face.height];
  const shoulders = face.y + 1.25 * face.height;
  return (x, y) => {
    const inHead =
      1 - ramp(Math.hypot((x - head.x) / across, (y - head.y + 0.1 * face.height) / down), 0.9, 1.1);
    const half =
      face.width * (0.4 + 1.1 * ramp(y, shoulders - 0.25 * face.height, shoulders + 0.3 * face.height));
    const inBody =
      ramp(y, head.y, head.y + 0.3 * face.height) * (1 - ramp(Math.abs(x - head.x), 0.95 * half, 1.1 * half));
    return Math.max(inHead, inBody);
  };
}

function blur({ context, source }: Picture, sigma: number): void {
  context.filter = `blur(${sigma}px)`;
  context.drawImage(source, 0, 0);
  context.filter = 'none';
}

/** Copies along a line, the mean of all. */
function smear({ context, source }: Picture, length: number, angle: number): void {
  const copies = Math.max(3, Math.ceil(2 * length));
  for (let i = 0; i < copies; i++) {
    const along = length * (i / (copies - 1) - 0.5);
    context.globalAlpha = 1 / (i + 1);
    context.drawImage(source, along * Math.cos(angle), along * Math.sin(angle));
  }
  context.globalAlpha = 1;
}

/** Puts the other head where it is farthest from this one, its face `share` as wide. */
function addFace({ context, size, face, other, random }: Picture, share: number): void {
  const scale = (share * face.width) / other.face.width;
  const [width, height] = [other.bitmap.width * scale, other.bitmap.height * scale];
  const main = middle(face);
  const spots = Array.from({ length: 8 }, (_, i): Point => {
    const x = i % 2 === 0 ? 0 : size.width - width;
    return { x, y: random() * Math.max(0, 0.7 * size.height - height) };
  });
  const distance = ({ x, y }: Point): number => Math.hypot(x + width / 2 - main.x, y + height / 2 - main.y);
  const spot = spots.reduce((best, candidate) => (distance(candidate) > distance(best) ? candidate : best));
  const layer = new OffscreenCanvas(Math.ceil(width), Math.ceil(height));
  const paint = layer.getContext('2d');
  if (paint === null) throw new Error('no 2D canvas');
  paint.imageSmoothingQuality = 'high';
  paint.drawImage(other.bitmap, 0, 0, width, height);
  paint.globalCompositeOperation = 'destination-in';
  paint.setTransform(width / 2, 0, 0, height / 2, width / 2, height / 2);
  const feather = paint.createRadialGradient(0, 0, 0.82, 0, 0, 1);
  feather.addColorStop(0, '#000');
  feather.addColorStop(1, 'transparent');
  paint.fillStyle = feather;
  paint.fillRect(-1, -1, 2, 2);
  context.drawImage(layer, spot.x, spot.y);
}

async function recompress({ context }: Picture, quality: number): Promise<void> {
  const blob = await context.canvas.convertToBlob({ type: 'image/jpeg', quality: quality / 100 });
  context.drawImage(await createImageBitmap(blob), 0, 0);
}

const SPOILT: readonly Degradation[] = [
  {
    code: 'too-dark',
    may: ['blurred', 'no-face'],
    name: 'little light',
    unit: 'times the light, with noise',
    steps: [0.05, 0.08, 0.12],
    paint: ({ context, random }, gain) => relight(context, (light) => light * gain, DARK_GRAIN, random),
  },
  {
    code: 'too-bright',
    may: ['blurred', 'no-face'],
    name: 'overexposed',
    unit: 'of the face clipped',
    steps: [0.35, 0.55, 0.75],
    paint: (picture, share) => {
      const gain = 1 / lightExceededBy(picture, share);
      relight(picture.context, (light) => light * gain);
    },
  },
  {
    code: 'uneven-light',
    may: [],
    name: 'shadow on one side',
    unit: 'of the light of the other side',
    steps: [0.15, 0.2, 0.25],
    paint: (picture, ratio) =>
      shade(picture, middle(picture.face), { x: either(picture.random), y: 0 }, ratio),
  },
  {
    code: 'uneven-light',
    may: [],
    name: 'shadow from above or below',
    unit: 'of the light of the other part',
    steps: [0.15, 0.2, 0.25],
    paint: (picture, ratio) =>
      shade(picture, middle(picture.face), { x: 0, y: either(picture.random) }, ratio),
  },
  {
    code: 'uneven-light',
    may: ['too-dark', 'blurred', 'no-face'],
    name: 'light from behind',
    unit: 'times the light on the person, a white background',
    steps: [0.08, 0.12, 0.16],
    paint: (picture, gain) => {
      const person = personMask(picture);
      relight(picture.context, (light, x, y) => {
        const share = person(x, y);
        return share * light * gain + (1 - share) * (0.55 + 2 * light);
      });
    },
  },
  {
    code: 'head-tilted',
    may: ['body-tilted'],
    name: 'rolled either way',
    unit: 'degrees',
    steps: [18, 22, 26, 30],
    paint: ({ context, face, random }, degrees) =>
      place(context, middle(face), { degrees: degrees * either(random) }),
  },
  {
    code: 'head-turned',
    may: [],
    name: 'rendered anew, left or right',
    unit: 'degrees',
    steps: [28, 32, 35],
    paint: ({ context, points, mesh, pose, random }, degrees) =>
      void turnHead(context, points, mesh, { yaw: degrees * either(random) - (pose.yaw ?? 0) }),
  },
  {
    code: 'head-pitched',
    may: [],
    name: 'rendered anew, chin up',
    unit: 'degrees',
    steps: [28, 32, 35],
    paint: ({ context, points, mesh, pose }, degrees) =>
      void turnHead(context, points, mesh, { pitch: (pose.pitch ?? 0) - degrees }),
  },
  {
    code: 'head-pitched',
    may: [],
    name: 'rendered anew, chin down',
    unit: 'degrees',
    steps: [28, 32, 35],
    paint: ({ context, points, mesh, pose }, degrees) =>
      void turnHead(context, points, mesh, { pitch: (pose.pitch ?? 0) + degrees }),
  },
  {
    code: 'blurred',
    may: [],
    name: 'out of focus (Gaussian)',
    unit: 'sigma over eye distance',
    steps: [0.04, 0.05, 0.06],
    paint: (picture, sigma) => blur(picture, sigma * picture.eyeDistance),
  },
  {
    code: 'blurred',
    may: ['moving'],
    name: 'smeared by motion',
    unit: 'length over eye distance',
    steps: [0.08, 0.1, 0.12],
    paint: (picture, length) => smear(picture, length * picture.eyeDistance, Math.PI * picture.random()),
  },
  {
    code: 'moving',
    may: ['face-off-centre'],
    name: 'moving past',
    unit: 'face widths a second',
    steps: [1.2, 1.8, 2.4],
    moves: true,
    paint: ({ context, face, random, time }, speed) => {
      const angle = 2 * Math.PI * random();
      // The middle of the way is where the face was.
      const along = speed * face.width * (time - 0.2);
      const from = middle(face);
      const target = { x: from.x + along * Math.cos(angle), y: from.y + along * Math.sin(angle) };
      place(context, from, { target });
    },
  },
  {
    code: 'multiple-faces',
    // The landmarker may settle on the other one, who was photographed in the middle and seems to look past the camera.
    may: ['face-off-centre', 'face-too-far', 'head-turned'],
    name: 'somebody beside',
    unit: 'of the face width',
    steps: [0.35, 0.45, 0.6],
    paint: addFace,
  },
  {
    code: 'face-too-far',
    may: [],
    name: 'farther away',
    unit: 'of the guide filled',
    steps: [0.2, 0.27, 0.34],
    paint: ({ context, face, guide }, share) =>
      place(context, middle(face), { target: middle(guide), scale: (share * guide.height) / face.height }),
  },
  {
    code: 'face-too-close',
    may: ['face-off-centre', 'no-face'],
    name: 'nearer',
    unit: 'of the guide filled',
    steps: [1.1, 1.2, 1.3],
    paint: ({ context, face, guide }, share) =>
      place(context, middle(face), { target: middle(guide), scale: (share * guide.height) / face.height }),
  },
  {
    code: 'face-off-centre',
    // A head that was photographed in the middle seems to look past the camera.
    may: ['face-too-close', 'no-face', 'head-turned', 'head-pitched'],
    name: 'beside the guide',
    unit: 'of the face outside the guide',
    steps: [0.25, 0.4, 0.55],
    paint: ({ context, face, guide, random }, share) => {
      const side = either(random);
      const way = (face_: number, guide_: number): number => side * ((guide_ - face_) / 2 + share * face_);
      const centre = middle(guide);
      const target =
        random() < 0.6
          ? { x: centre.x + way(face.width, guide.width), y: centre.y }
          : { x: centre.x, y: centre.y + way(face.height, guide.height) };
      place(context, middle(face), { target });
    },
  },
];

const HARMLESS: readonly Degradation[] = [
  { name: 'recompressed', unit: 'JPEG quality', steps: [60], paint: recompress },
  {
    name: 'exposure',
    unit: 'times the light',
    steps: [0.7, 1.25],
    paint: ({ context }: Picture, gain: number) => relight(context, (light) => light * gain),
  },
  {
    name: 'white balance',
    unit: 'more red, less blue',
    steps: [-0.1, 0.1],
    paint: ({ context }: Picture, warmth: number) =>
      relight(context, (light, _x, _y, channel) => light * (1 + warmth * (1 - channel))),
  },
  {
    name: 'hardly out of focus',
    unit: 'sigma over eye distance',
    steps: [0.007],
    paint: (picture: Picture, sigma: number) => blur(picture, sigma * picture.eyeDistance),
  },
  {
    name: 'hardly rolled',
    unit: 'degrees',
    steps: [-5, 5],
    paint: ({ context, face }: Picture, degrees: number) => place(context, middle(face), { degrees }),
  },
  {
    name: 'hardly farther',
    unit: 'scale',
    steps: [0.95],
    paint: ({ context, face }: Picture, scale: number) => place(context, middle(face), { scale }),
  },
  { name: 'somebody far off', unit: 'of the face width', steps: [0.1], paint: addFace },
].map((harmless) => ({ ...harmless, code: null, may: [] }));

/** Everything that good photos are spoilt with. */
export const DEGRADATIONS: readonly Degradation[] = [...SPOILT, ...HARMLESS];
