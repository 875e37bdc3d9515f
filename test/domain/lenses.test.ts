import { describe, expect, test } from 'vitest';
import {
  betterLens,
  facingOfLabel,
  furtherLenses,
  recall,
  remember,
  virtualCameraOf,
  type Facing,
  type Lens,
} from '../../src/session/lenses.ts';

/** A camera as the browser lists it: the label is its id, too, unless several share it. */
const lens = (label: string, more: Partial<Lens> = {}): Lens => ({
  deviceId: label,
  label,
  facing: facingOfLabel(label),
  megapixels: null,
  ...more,
});

const IPHONE = [
  'Front Camera',
  'Back Ultra Wide Camera',
  'Back Telephoto Camera',
  'Back Dual Wide Camera',
  'Back Triple Camera',
  'Back Camera',
];
const IPHONE_ID = [
  'Kamera Depan',
  'Kamera Ultra Lebar Belakang',
  'Kamera Telefoto Belakang',
  'Dwikamera Lebar Belakang',
  'Kamera Tiga Belakang',
  'Kamera Belakang',
];
const ANDROID = [
  'camera2 1, facing front',
  'camera2 3, facing front',
  'camera2 2, facing back',
  'camera2 10, facing back',
  'camera2 0, facing back',
];
const FIREFOX_ANDROID = [
  'Camera 2, Facing back, Orientation 90',
  'Camera 0, Facing back, Orientation 90',
  'Camera 1, Facing front, Orientation 270',
];
const THINKPAD = ['Integrated IR Camera (04f2:b6ea)', 'Integrated Camera (04f2:b6ea)'];
const SURFACE = ['Surface IR Camera Front', 'Surface Camera Front', 'Surface Camera Rear'];

describe('the camera to take', () => {
  test.each<[opened: string, labels: readonly string[], wanted: Facing, taken: string | null]>([
    ['Back Ultra Wide Camera', IPHONE, 'environment', 'Back Camera'],
    ['Back Telephoto Camera', IPHONE, 'environment', 'Back Camera'],
    ['Back Telephoto Camera', IPHONE.slice(0, 5), 'environment', 'Back Dual Wide Camera'],
    ['Back Ultra Wide Camera', IPHONE.slice(0, 3), 'environment', null],
    ['Back Dual Wide Camera', IPHONE, 'environment', null],
    ['Back Triple Camera', IPHONE, 'environment', null],
    ['Back Camera', IPHONE, 'environment', null],
    ['Front Camera', IPHONE, 'user', null],
    ['Front Camera', IPHONE, 'environment', 'Back Camera'],
    ['Front Ultra Wide Camera', ['Front Ultra Wide Camera', 'Front Camera'], 'user', 'Front Camera'],
    ['Kamera Ultra Lebar Belakang', IPHONE_ID, 'environment', 'Kamera Belakang'],
    ['Kamera Telefoto Belakang', IPHONE_ID, 'environment', 'Kamera Belakang'],
    ['Dwikamera Lebar Belakang', IPHONE_ID, 'environment', null],
    ['Kamera Depan', IPHONE_ID, 'user', null],
    ['camera2 2, facing back', ANDROID, 'environment', 'camera2 0, facing back'],
    ['camera2 10, facing back', ANDROID, 'environment', 'camera2 0, facing back'],
    ['camera2 0, facing back', ANDROID, 'environment', null],
    ['camera2 1, facing front', ANDROID, 'user', null],
    ['camera2 3, facing front', ANDROID, 'user', 'camera2 1, facing front'],
    ['camera2 2, facing back', ANDROID.slice(0, 4), 'environment', null],
    ['camera2 10, facing back', ANDROID.slice(0, 4), 'environment', 'camera2 2, facing back'],
    [
      'Camera 2, Facing back, Orientation 90',
      FIREFOX_ANDROID,
      'environment',
      'Camera 0, Facing back, Orientation 90',
    ],
    ['Integrated IR Camera (04f2:b6ea)', THINKPAD, 'user', 'Integrated Camera (04f2:b6ea)'],
    ['Integrated Camera (04f2:b6ea)', THINKPAD, 'user', null],
    ['USB2.0 HD UVC WebCam: USB2.0 IR', ['USB2.0 HD UVC WebCam'], 'user', 'USB2.0 HD UVC WebCam'],
    ['Surface IR Camera Front', SURFACE, 'user', 'Surface Camera Front'],
    ['Surface IR Camera Front', SURFACE, 'environment', 'Surface Camera Rear'],
    ['Surface Camera Front', SURFACE, 'environment', 'Surface Camera Rear'],
    ['Intel(R) RealSense(TM) Depth Camera 415', ['HD Webcam'], 'user', 'HD Webcam'],
    ['Windows Hello Face Software Device', ['HD Webcam'], 'user', 'HD Webcam'],
    // Combined cameras and a maker's word for an ordinary one.
    ['HP Wide Vision HD Camera', ['HP IR Camera', 'USB Camera'], 'user', null],
    ['RGB-IR Camera', ['USB Camera'], 'user', null],
    ['Front TrueDepth Camera', ['Front Camera'], 'user', null],
    // Nothing better than it.
    ['HP IR Camera', ['OBS Virtual Camera'], 'user', null],
    ['HP IR Camera', [], 'user', null],
    ['OBS Virtual Camera', ['HD Webcam'], 'user', null],
    ['HD Webcam', ['OBS Virtual Camera', 'HD Pro Webcam C920'], 'environment', null],
    ['', ['', ''], 'environment', null],
  ])('%s of %j for %s: %s', (opened, labels, wanted, taken) => {
    const all = labels.map((label) => lens(label));
    expect(betterLens(lens(opened), all, wanted)?.label ?? null).toBe(taken);
    expect(betterLens(lens(opened), [...all].reverse(), wanted)?.label ?? null).toBe(
      // Of two that are alike either will do.
      taken === 'Back Dual Wide Camera' ? 'Back Triple Camera' : taken,
    );
  });

  test('of several alike is the one with the larger picture', () => {
    const all = [
      lens('Rear Camera', { deviceId: 'a', megapixels: 2 }),
      lens('Rear Camera', { deviceId: 'b', megapixels: 12.2 }),
      lens('Rear Camera', { deviceId: 'c' }),
    ];
    expect(betterLens(lens('Rear Macro Camera'), all, 'environment')?.deviceId).toBe('b');
  });

  test('is known by the facing that the browser tells, where the label tells none', () => {
    const all = [
      lens('Camera A', { facing: 'user' }),
      lens('Camera B', { facing: 'environment' }),
      lens('Camera IR', { facing: 'environment' }),
    ];
    const opened = (label: string): Lens => all.find((one) => one.label === label) ?? lens(label);
    expect(betterLens(opened('Camera IR'), all, 'environment')?.label).toBe('Camera B');
    expect(betterLens(opened('Camera A'), all, 'environment')?.label).toBe('Camera B');
    expect(betterLens(opened('Camera A'), all, 'user')).toBeNull();
  });
});

test.each<[current: string, labels: readonly string[], wanted: Facing, others: readonly string[]]>([
  [
    'Back Camera',
    IPHONE,
    'environment',
    ['Back Dual Wide Camera', 'Back Triple Camera', 'Back Ultra Wide Camera', 'Back Telephoto Camera'],
  ],
  ['Front Camera', IPHONE, 'user', []],
  ['camera2 0, facing back', ANDROID, 'environment', ['camera2 2, facing back', 'camera2 10, facing back']],
  ['Integrated Camera (04f2:b6ea)', THINKPAD, 'user', []],
  ['HD Webcam', ['OBS Virtual Camera', 'HD Webcam', 'BRIO'], 'user', ['BRIO', 'OBS Virtual Camera']],
])('from %s of %j for %s a person may switch to %j', (current, labels, wanted, others) => {
  const all = labels.map((label) => lens(label));
  expect(furtherLenses(current, all, wanted).map(({ label }) => label)).toEqual(others);
});

test.each<[label: string, name: string | null]>([
  ['OBS Virtual Camera', 'OBS'],
  ['OBS-Camera', 'OBS'],
  ['ManyCam Virtual Webcam', 'ManyCam'],
  ['XSplit VCam', 'XSplit'],
  ['Snap Camera', 'Snap Camera'],
  ['Dummy video device (0x0000)', 'v4l2loopback'],
  ['DroidCam Source 3', 'DroidCam'],
  ['e2eSoft iVCam', 'iVCam'],
  ['EpocCam Camera', 'EpocCam'],
  ['Iriun Webcam', 'Iriun'],
  ['Reincubate Camo', 'Camo'],
  ['mmhmm Camera', 'mmhmm'],
  ['NVIDIA Broadcast', 'NVIDIA Broadcast'],
  ['CyberLink YouCam 9', 'YouCam'],
  ['Unity Video Capture Virtual Cam', 'unnamed'],
  ['fake_device_0', 'browser test camera'],
  ['Mock video device 1', 'browser test camera'],
  ['camera2 0, facing back', null],
  ['FaceTime HD Camera (Built-in) (05ac:8600)', null],
  ['Logitech BRIO (046d:085e)', null],
  ['Jobsite Camera', null],
  ['Kamera Belakang', null],
  ['', null],
])('%s is the virtual camera %s', (label, name) => {
  expect(virtualCameraOf(label)).toBe(name);
});

describe('the memory', () => {
  const storage = (): Pick<Storage, 'getItem' | 'setItem' | 'removeItem'> & { kept: Map<string, string> } => {
    const kept = new Map<string, string>();
    return {
      kept,
      getItem: (key) => kept.get(key) ?? null,
      setItem: (key, value) => void kept.set(key, value),
      removeItem: (key) => void kept.delete(key),
    };
  };

  test('keeps one choice for each facing, until it is forgotten', () => {
    const memory = storage();
    remember(memory, 'user', 'a');
    remember(memory, 'environment', 'b');
    expect([recall(memory, 'user'), recall(memory, 'environment')]).toEqual(['a', 'b']);
    remember(memory, 'user', null);
    expect([recall(memory, 'user'), recall(memory, 'environment')]).toEqual([null, 'b']);
    expect(memory.kept.size).toBe(1);
  });

  test('may be missing, or refuse', () => {
    const refuse = (): never => {
      throw new DOMException('', 'QuotaExceededError');
    };
    for (const memory of [null, { getItem: refuse, setItem: refuse, removeItem: refuse }]) {
      remember(memory, 'user', 'a');
      remember(memory, 'user', null);
      expect(recall(memory, 'user')).toBeNull();
    }
  });
});
