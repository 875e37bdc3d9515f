import { BODY_DEGRADATIONS } from './body.ts';
import { COVER_DEGRADATIONS } from './covers.ts';
import { type Degradation, DEGRADATIONS } from './degradations.ts';
import { hashOf, type Part, partOf, randomFrom, shuffled } from './score.ts';

/*
 * Which degraded copies a run makes.
 */

/** Every degradation that a run deals out. */
export const ALL_DEGRADATIONS: readonly Degradation[] = [
  ...DEGRADATIONS,
  ...BODY_DEGRADATIONS,
  ...COVER_DEGRADATIONS,
];

/** What all random numbers of a run follow from. */
export const SEED = 20250;
/** Copies per code and part of the people, where there are photos enough. */
const COPIES_PER_CODE = 84;
/** Copies of one photo per code. */
const COPIES_PER_PHOTO = 2;

/** One degraded copy. */
export interface Sample {
  /** The photo, as the manifest names it. */
  readonly file: string;
  /** Place in `ALL_DEGRADATIONS`. */
  readonly degradation: number;
  readonly step: number;
  /** The photo that a second head comes from. */
  readonly other: string;
}

/** What one sample's random numbers follow from. */
export const seedOf = ({ file, degradation, step }: Sample): number =>
  hashOf([SEED, file, ALL_DEGRADATIONS[degradation]?.name, step].join('\n'));

/**
 * Deals the degradations of every code, and the steps of each, evenly to photos in random order; what is harmless goes
 * to every photo. Each part of the people gets its own deal, so that both see the same mix. The same photos give the
 * same samples.
 */
export function dealSamples(files: readonly string[]): readonly Sample[] {
  return (['set', 'check'] as const).flatMap((part) =>
    dealTo(
      files.filter((file) => partOf(file) === part),
      part,
    ),
  );
}

function dealTo(files: readonly string[], part: Part): readonly Sample[] {
  const codes = [...new Set(ALL_DEGRADATIONS.map(({ code }) => code))];
  return codes.flatMap((code) => {
    const random = randomFrom(hashOf(`${SEED} ${part} ${code ?? 'harmless'}`));
    const photos = shuffled(files, random);
    const degradations = shuffled(
      ALL_DEGRADATIONS.flatMap((degradation, i) =>
        degradation.code === code ? [{ degradation: i, steps: shuffled(degradation.steps, random) }] : [],
      ),
      random,
    );
    const most = COPIES_PER_PHOTO * photos.length;
    const count = code === null ? most : Math.min(COPIES_PER_CODE, most);
    return Array.from({ length: count }, (_, i): readonly Sample[] => {
      const seat = i % photos.length;
      const round = Math.floor(i / photos.length);
      const file = photos[seat];
      const other = photos[(seat + 1 + Math.floor(random() * (photos.length - 1))) % photos.length];
      // Further by one each round, so that a photo gets nothing twice.
      const chosen = degradations[(seat + round) % degradations.length];
      const turn = Math.floor(seat / degradations.length) + round;
      const step = chosen?.steps[turn % chosen.steps.length];
      return file === undefined || other === undefined || chosen === undefined || step === undefined
        ? []
        : [{ file, other, step, degradation: chosen.degradation }];
    }).flat();
  });
}
