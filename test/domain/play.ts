import { step } from '../../src/domain/flow.ts';
import { NOT_STARTED, type Effect, type Event, type Journey } from '../../src/domain/journey.ts';

/** Where a journey stands after these events, and all that they caused. */
export function play(
  events: readonly Event[],
  from: Journey = NOT_STARTED,
): { journey: Journey; effects: Effect[] } {
  const effects: Effect[] = [];
  let journey = from;
  for (const event of events) {
    const [next, caused] = step(journey, event);
    journey = next;
    effects.push(...caused);
  }
  return { journey, effects };
}
