import { chromium } from '@playwright/test';
import { launchCapture, type Outcome } from '../../src/playwright/index.ts';
import { CARD_SCENE, describePeople, faceScene, people, type Person } from '../people.ts';
import { serveDemo } from '../serve.ts';

/**
 * `npm run kiosk`: an unattended loop. A server, a browser with a fake camera, and one person after
 * another before it. `--once` ends after three; `--headed` shows the screen; `--eendigo` takes the
 * other provider.
 */

const wishes = new Set(process.argv.slice(2));
const provider = wishes.has('--eendigo') ? 'eendigo' : 'identifai';

const seconds = (milliseconds: number | undefined): string =>
  milliseconds === undefined ? '–' : `${(milliseconds / 1000).toFixed(1)} s`;

function describe(person: Person, outcome: Outcome): string {
  const ended =
    outcome.ended === 'done' ? (outcome.result.verified ? 'verified' : 'not verified') : outcome.ended;
  const why = outcome.ended === 'failed' ? ` (${outcome.code}: ${outcome.message})` : '';
  const photos = outcome.photos.map(
    ({ step, width, height, jpeg }) =>
      `${step} ${width}x${height} ${Math.round(jpeg.length / 1000)} kB after ${seconds(outcome.photoMilliseconds[step])}`,
  );
  return [`${person.name}: ${ended}${why}`, ...photos, `in all ${seconds(outcome.milliseconds)}`].join(' · ');
}

const server = await serveDemo({ port: 0 });
const browser = await launchCapture({ chromium, headless: !wishes.has('--headed') });
console.log(`${describePeople()} Kiosk at ${server.url}kiosk/ with ${provider}.`);

let completed = 0;
let round = 0;
process.once('SIGINT', () => void stop(130));

async function stop(code: number): Promise<never> {
  await browser.close();
  await server.close();
  process.exit(code);
}

const queue = people();
do {
  for (const person of queue) {
    const reference = `kiosk${Date.now().toString(36)}${round++}`;
    const capture = await browser.open(`${server.url}kiosk/?provider=${provider}&ref=${reference}`, {
      scenes: { selfie: faceScene(person), ktp: CARD_SCENE },
    });
    try {
      const outcome = await capture.run();
      if (outcome.ended === 'done') completed++;
      console.log(describe(person, outcome));
    } catch (error) {
      console.log(
        `${person.name}: stuck in ${await capture.state()} (${await capture.hint()}): ${String(error)}`,
      );
    } finally {
      await capture.close();
    }
  }
} while (!wishes.has('--once'));
await stop(completed === queue.length ? 0 : 1);
