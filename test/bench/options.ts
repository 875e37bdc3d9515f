import { UsageError } from '../accuracy/score.ts';

/** What can be measured. */
export const SECTIONS = ['frames', 'live', 'start', 'photo', 'memory', 'peers'] as const;
export type Section = (typeof SECTIONS)[number];

/** What the caller wants. */
export interface Options {
  /** Where all figures go, or null. */
  readonly json: string | null;
  /** In about two minutes, without peers. */
  readonly quick: boolean;
  /** Google's `face_landmarker.task`, or null. */
  readonly model: string | null;
  readonly sections: readonly Section[];
}

const USAGE =
  'Usage: npm run bench -- [--json OUT.json] [--quick] [--model face_landmarker.task] ' +
  `[--only ${SECTIONS.join(',')}]`;

/**
 * Reads the command line.
 * @param pathOf what a typed path means
 * @throws UsageError
 */
export function parseOptions(words: readonly string[], pathOf: (typed: string) => string): Options {
  const rest = [...words];
  let json: string | null = null;
  let model: string | null = null;
  let quick = false;
  let only: readonly Section[] | null = null;
  for (let word = rest.shift(); word !== undefined; word = rest.shift()) {
    if (word === '--quick') {
      quick = true;
      continue;
    }
    const value = rest.shift();
    if (value === undefined || value.startsWith('--')) throw new UsageError(USAGE);
    if (word === '--json') json = pathOf(value);
    else if (word === '--model') model = pathOf(value);
    else if (word === '--only') only = value.split(',').map(sectionOf);
    else throw new UsageError(USAGE);
  }
  return {
    json,
    quick,
    model,
    sections: only ?? SECTIONS.filter((section) => !quick || section !== 'peers'),
  };
}

function sectionOf(name: string): Section {
  const section = SECTIONS.find((known) => known === name);
  if (!section) throw new UsageError(`${USAGE}\nThere is no section ${name}.`);
  return section;
}
