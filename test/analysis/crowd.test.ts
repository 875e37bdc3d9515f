import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createCrowd, CROWD_PARTS, type Detection } from '../../src/analysis/crowd.ts';
import type { Box } from '../../src/domain/geometry.ts';

const FRAME = { width: 640, height: 480 };
const MAIN: Box = { x: 220, y: 120, width: 200, height: 240 };
const WHOLE = { x: 0, y: 0, ...FRAME };

/**
 * A detector that finds every face wholly or partly within a part, cut at its edges, if it is at least an eighth of the
 * part's long side.
 */
const finds =
  (faces: readonly Box[], score = 0.9) =>
  (part: Box): readonly Detection[] =>
    faces.flatMap((face) => {
      const [left, top] = [Math.max(face.x, part.x), Math.max(face.y, part.y)];
      const width = Math.min(face.x + face.width, part.x + part.width) - left;
      const height = Math.min(face.y + face.height, part.y + part.height) - top;
      const smallest = Math.max(part.width, part.height) / 8;
      return width < smallest || height < smallest
        ? []
        : [{ x: left - part.x, y: top - part.y, width, height, score }];
    });

/** What is seen after each of some looks, 200 ms apart. */
function looks(
  count: number,
  detect: (part: Box) => readonly Detection[],
  main = MAIN,
): readonly (readonly Box[])[] {
  const crowd = createCrowd();
  return Array.from({ length: count }, (_, i) => crowd.look(FRAME, 200 * i, main, detect));
}

describe('faces beside the main one', () => {
  test('the main face is none of them, whole or cut', () => {
    for (const seen of looks(10, finds([MAIN]))) expect(seen).toEqual([]);
  });

  test('one that is too small for the whole frame is found in a quarter, and remembered', () => {
    const small = { x: 40, y: 60, width: 64, height: 64 };
    const seen = looks(10, finds([MAIN, small]));
    expect(seen[0]).toEqual([]);
    for (const later of seen.slice(1)) expect(later).toEqual([small]);
  });

  test('one that several parts show is one face', () => {
    const other = { x: 20, y: 40, width: 120, height: 120 };
    for (const seen of looks(10, finds([MAIN, other]))) expect(seen).toEqual([other]);
  });

  test('one that leaves is forgotten within one round', () => {
    const small = { x: 40, y: 60, width: 64, height: 64 };
    const crowd = createCrowd();
    const at = (i: number, faces: readonly Box[]): readonly Box[] =>
      crowd.look(FRAME, 200 * i, MAIN, finds(faces));
    for (let i = 0; i < 5; i++) at(i, [MAIN, small]);
    const seen = [5, 6, 7, 8, 9].map((i) => at(i, [MAIN]));
    expect(seen.at(0)).toEqual([small]);
    expect(seen.at(-1)).toEqual([]);
  });

  test('a pause forgets everybody, and begins with the whole frame', () => {
    const parts: Box[] = [];
    const crowd = createCrowd();
    const detect = (part: Box): readonly Detection[] => {
      parts.push(part);
      return finds([{ x: 40, y: 60, width: 64, height: 64 }])(part);
    };
    crowd.look(FRAME, 0, MAIN, detect);
    expect(crowd.look(FRAME, 200, MAIN, detect)).toHaveLength(1);
    expect(crowd.look(FRAME, 1500, MAIN, detect)).toEqual([]);
    expect(parts[2]).toEqual(WHOLE);
  });

  test('the main face that was seen before the landmarker found it is nobody else later, wherever it went', () => {
    const crowd = createCrowd();
    const moved = { ...MAIN, x: MAIN.x + 150 };
    expect(crowd.look(FRAME, 0, null, finds([MAIN]))).toEqual([MAIN]);
    expect(crowd.look(FRAME, 200, moved, finds([moved]))).toEqual([]);
    expect(crowd.look(FRAME, 400, moved, finds([moved]))).toEqual([]);
  });

  test('a moving main face leaves no face behind', () => {
    const crowd = createCrowd();
    for (let i = 0; i < 20; i++) {
      const main = { ...MAIN, x: 20 * i };
      expect(crowd.look(FRAME, 200 * i, main, finds([main]))).toEqual([]);
    }
  });

  test('with nobody beside it, newcomers are looked for half as often, near ones most, and then everywhere', () => {
    const small = { x: 40, y: 60, width: 64, height: 64 };
    const crowd = createCrowd();
    let now = 0;
    const partsOf = (count: number, faces: readonly Box[]): readonly (Box | null)[] =>
      Array.from({ length: count }, () => {
        let shown: Box | null = null;
        crowd.look(FRAME, (now += 160), MAIN, (part) => {
          shown = part;
          return finds(faces)(part);
        });
        return shown;
      });
    const round = partsOf(5, [MAIN]);
    expect(new Set(round.map((part) => JSON.stringify(part))).size).toBe(5);
    const calm = partsOf(16, [MAIN]);
    expect(calm.filter((part) => part !== null)).toHaveLength(8);
    expect(calm.filter((part) => part?.width === FRAME.width)).toHaveLength(4);
    expect(new Set(calm.flatMap((part) => (part === null ? [] : JSON.stringify(part)))).size).toBe(5);
    partsOf(16, [MAIN, small]);
    for (const part of partsOf(5, [MAIN, small])) expect(part).not.toBeNull();
    expect(crowd.look(FRAME, now + 160, MAIN, finds([MAIN, small]))).toEqual([small]);
  });

  test('a newcomer is seen within two waits where it is near, and within eight wherever else, whatever the pace', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 100, max: 500 }),
        fc.integer({ min: 0, max: 30 }),
        fc.constantFrom(
          { x: 40, y: 60, width: 64, height: 64 },
          { x: 540, y: 60, width: 64, height: 64 },
          { x: 40, y: 380, width: 64, height: 64 },
          { x: 540, y: 380, width: 64, height: 64 },
          { x: 20, y: 40, width: 120, height: 120 },
        ),
        (every, before, newcomer) => {
          const crowd = createCrowd();
          let now = 0;
          for (let i = 0; i < before; i++) crowd.look(FRAME, (now += every), MAIN, finds([MAIN]));
          const came = now;
          const until = came + (newcomer.width > 100 ? 2 : 8) * (300 + every);
          let seen: readonly Box[] = [];
          while (seen.length === 0 && now <= until)
            seen = crowd.look(FRAME, (now += every), MAIN, finds([MAIN, newcomer]));
          expect(seen).toHaveLength(1);
        },
      ),
      { seed: 20261123 },
    );
  });

  test('a pattern that only half looks like a face counts in the whole frame alone', () => {
    const pattern = { x: 40, y: 60, width: 64, height: 64 };
    for (const seen of looks(6, finds([pattern], 0.6))) expect(seen).toEqual([]);
    expect(looks(1, finds([{ ...pattern, width: 90, height: 90 }], 0.6))[0]).toHaveLength(1);
  });

  test('every face of a fifth of the frame or less lies wholly within a part', () => {
    fc.assert(
      fc.property(
        fc.double({ min: 60, max: 94, noNaN: true }),
        fc.double({ min: 0.01, max: 0.99, noNaN: true }),
        fc.double({ min: 0.01, max: 0.99, noNaN: true }),
        (side, x, y) => {
          const face = {
            x: x * (FRAME.width - side),
            y: y * (FRAME.height - side),
            width: side,
            height: side,
          };
          const seen = looks(CROWD_PARTS.length, finds([face]), { x: -9, y: -9, width: 1, height: 1 });
          expect(seen.at(-1)).toHaveLength(1);
        },
      ),
      { seed: 3 },
    );
  });
});
