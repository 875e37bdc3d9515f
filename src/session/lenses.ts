/** Where a camera looks: at the person, or away from them. */
export type Facing = 'user' | 'environment';

/** One camera of the device, as far as the browser tells; labels and facing are known only after permission. */
export interface Lens {
  readonly deviceId: string;
  readonly label: string;
  readonly facing: Facing | null;
  /** Largest picture, in million px, or null where the browser does not say. */
  readonly megapixels: number | null;
}

/** What kind of lens a label names, the one to take first. Numbered by how well a photo can come of it. */
const MAIN = 0;
/** Several lenses behind one label, which the system switches by itself, down to the macro lens. */
const SEVERAL = 1;
/** Too wide, too narrow, or sharp only very near. */
const SPECIAL = 2;
const VIRTUAL = 3;
/** No colours: it is there for signing in, or measures distances. */
const COLOURLESS = 4;

/** An iPhone names its lenses in the language of the phone: "Kamera Ultra Lebar Belakang", "Dwikamera Lebar Belakang". */
const KINDS: readonly (readonly [
  kind: typeof COLOURLESS | typeof SEVERAL | typeof SPECIAL,
  words: RegExp,
])[] = [
  [
    COLOURLESS,
    /^(?!.*rgb).*(\bir\b|infra[ -]?(red|merah)|windows hello|\bdepth\b|kedalaman|\btof\b|lidar|thermal)/i,
  ],
  [SEVERAL, /\b(dual|triple|ganda|tiga)\b|\b(dwi|tri)kamera/i],
  [
    SPECIAL,
    /ultra[ -]?(wide|lebar)|wide[ -]angle|(back|rear) wide|\btele|\bma[ck]ro\b|fish ?eye|desk view|\b0[.,]5 ?x/i,
  ],
];

/** Programs and drivers that pass pictures off as a camera, by the names they give it. */
const VIRTUAL_CAMERAS: readonly (readonly [name: string, words: RegExp])[] = [
  ['OBS', /\bobs\b/i],
  ['ManyCam', /manycam/i],
  ['XSplit', /xsplit/i],
  ['Snap Camera', /snap ?camera/i],
  ['v4l2loopback', /v4l2 ?loopback|dummy video device/i],
  ['DroidCam', /droidcam/i],
  ['iVCam', /\be2esoft|ivcam/i],
  ['EpocCam', /epoccam/i],
  ['Iriun', /iriun/i],
  ['Camo', /\b(reincubate )?camo\b/i],
  ['mmhmm', /mmhmm/i],
  ['CamTwist', /camtwist/i],
  ['SplitCam', /splitcam/i],
  ['YouCam', /youcam/i],
  ['Webcamoid', /webcamoid|akvcam/i],
  ['NVIDIA Broadcast', /nvidia broadcast/i],
  ['browser test camera', /fake_device|fake device|mock video|default video device/i],
  ['unnamed', /virtual|\bvcam\b/i],
];

/** The virtual camera that a label names: a signal, no verdict. null where it names none that is known. */
export function virtualCameraOf(label: string): string | null {
  return VIRTUAL_CAMERAS.find(([, words]) => words.test(label))?.[0] ?? null;
}

const KIND_NAMES = {
  [MAIN]: 'main',
  [SEVERAL]: 'several',
  [SPECIAL]: 'special',
  [VIRTUAL]: 'virtual',
  [COLOURLESS]: 'colourless',
} as const;

/** The kind of lens, in a word; null where there is no label to tell it. */
export function kindNameOf(lens: Lens): (typeof KIND_NAMES)[keyof typeof KIND_NAMES] | null {
  return lens.label === '' ? null : KIND_NAMES[kindOf(lens)];
}

function kindOf({ label }: Lens): keyof typeof KIND_NAMES {
  const [kind] = KINDS.find(([, words]) => words.test(label)) ?? [];
  return kind ?? (virtualCameraOf(label) ? VIRTUAL : MAIN);
}

/** Chromium and Firefox on Android count: "camera2 0, facing back", "Camera 0, Facing back". The main lens comes first. */
function numberOf({ label }: Lens): number | null {
  const [, digits] = /^camera2? (\d+), facing/i.exec(label) ?? [];
  return digits === undefined ? null : Number(digits);
}

/** Where the label says that a camera looks, in English or Bahasa Indonesia. */
export function facingOfLabel(label: string): Facing | null {
  if (/\b(back|rear|belakang|environment)\b/i.test(label)) return 'environment';
  return /\b(front|depan|user)\b/i.test(label) ? 'user' : null;
}

/** The better first. */
const byKind = (a: Lens, b: Lens): number =>
  kindOf(a) - kindOf(b) ||
  (numberOf(a) ?? 0) - (numberOf(b) ?? 0) ||
  (b.megapixels ?? 0) - (a.megapixels ?? 0);

/**
 * The camera to take in place of the one that the browser has opened, or null where that one is right.
 * - An infrared, depth, wide, tele or macro lens gives way to a plain one that looks the same way.
 * - So does the second or third lens of an Android phone to its first.
 * - One that looks the wrong way gives way to one that is known to look the right way.
 * Several lenses behind one label stay: Safari opens them by itself since iOS 16.4, and they alone get near enough to a
 * card on some iPhones. A virtual camera stays as well, because somebody has set it up.
 * @param all may hold the opened one, too
 */
export function betterLens(opened: Lens, all: readonly Lens[], wanted: Facing): Lens | null {
  const strays = opened.facing !== null && opened.facing !== wanted;
  const others = all.filter(({ deviceId }) => deviceId !== '' && deviceId !== opened.deviceId);
  const plain = others.filter((lens) => kindOf(lens) <= SEVERAL).sort(byKind);
  const right = strays ? plain.find(({ facing }) => facing === wanted) : undefined;
  if (right) return right;
  const best = plain.find(({ facing }) => facing === opened.facing);
  if (!best) return null;
  const kind = kindOf(opened);
  if (kind === SPECIAL || kind === COLOURLESS) return best;
  const [number, lower] = [numberOf(opened), numberOf(best)];
  return number !== null && lower !== null && lower < number ? best : null;
}

/** The cameras that a person may switch to, the likeliest first: none that is known to look the other way, or is blind to colours. */
export function furtherLenses(current: string, all: readonly Lens[], wanted: Facing): readonly Lens[] {
  return all
    .filter(
      (lens) =>
        lens.deviceId !== '' &&
        lens.deviceId !== current &&
        (lens.facing ?? wanted) === wanted &&
        kindOf(lens) !== COLOURLESS,
    )
    .sort(byKind);
}

/** All cameras, or none where the browser does not list them. */
export async function listLenses(): Promise<readonly Lens[]> {
  try {
    const devices = await navigator.mediaDevices.enumerateDevices();
    return devices.filter(({ kind }) => kind === 'videoinput').map(lensOf);
  } catch {
    return [];
  }
}

function lensOf(device: MediaDeviceInfo): Lens {
  const { deviceId, label } = device;
  // Firefox does not have it, and without permission it is empty.
  const { getCapabilities } = device as { getCapabilities?: () => MediaTrackCapabilities };
  const { facingMode, width, height } = getCapabilities?.call(device) ?? {};
  const pixels = (width?.max ?? 0) * (height?.max ?? 0);
  return {
    deviceId,
    label,
    facing: facingOfLabel(label) ?? asFacing(facingMode?.[0]),
    megapixels: pixels > 0 ? Math.round(pixels / 1e5) / 10 : null,
  };
}

/** The camera behind a track. */
export function lensOfTrack(track: MediaStreamTrack): Lens {
  const { deviceId = '', facingMode } = track.getSettings();
  const { label } = track;
  return { deviceId, label, facing: asFacing(facingMode) ?? facingOfLabel(label), megapixels: null };
}

const asFacing = (mode: string | undefined): Facing | null =>
  mode === 'user' || mode === 'environment' ? mode : null;

/** Where the camera that a person chose is kept from one visit to the next: the browser's storage, or one like it. */
export type Memory = Pick<Storage, 'getItem' | 'setItem' | 'removeItem'>;

const keyOf = (facing: Facing): string => `kyc-capture:camera:${facing}`;

/** The camera that the person chose for this facing, or null. A storage that refuses knows of none. */
export function recall(memory: Memory | null, facing: Facing): string | null {
  try {
    return memory?.getItem(keyOf(facing)) ?? null;
  } catch {
    return null;
  }
}

/** Keeps the choice; null forgets it. */
export function remember(memory: Memory | null, facing: Facing, deviceId: string | null): void {
  try {
    if (deviceId === null) memory?.removeItem(keyOf(facing));
    else memory?.setItem(keyOf(facing), deviceId);
  } catch {
    // Full or forbidden: the person chooses anew next time.
  }
}
