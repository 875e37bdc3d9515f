import { spawnSync } from 'node:child_process';
import { findChromium } from '../src/playwright/chromium.ts';

/**
 * Runs a command with CHROMIUM_PATH set: `tsx scripts/with-browser.ts "playwright test"`. What follows the command is
 * passed on to it word for word, blanks and all. Looks for a browser first, because a machine that reaches only
 * package registries cannot download one.
 */

const attempts: readonly {
  readonly what: string;
  readonly possible: () => boolean;
  readonly run: string[][];
}[] = [
  {
    what: "Playwright's installer",
    possible: () => true,
    run: [['npx', 'playwright', 'install', 'chromium']],
  },
  {
    what: 'apt-get, as root',
    possible: () => process.getuid?.() === 0 && exists('apt-get'),
    run: aptGet([]),
  },
  {
    what: 'apt-get, with sudo',
    possible: () => process.getuid?.() !== 0 && exists('sudo') && exists('apt-get'),
    run: aptGet(['sudo', '-n']),
  },
];

function aptGet(prefix: string[]): string[][] {
  return [
    [...prefix, 'apt-get', 'update'],
    [...prefix, 'apt-get', 'install', '-y', '--no-install-recommends', 'chromium'],
  ];
}

function exists(program: string): boolean {
  return spawnSync('sh', ['-c', `command -v ${program}`], { stdio: 'ignore' }).status === 0;
}

/** An installer that hangs on a closed network must not hang the tests. */
const INSTALLER_TIMEOUT_MS = 5 * 60_000;

function succeeds([program, ...parameters]: string[]): boolean {
  if (!program) return false;
  const options = { stdio: 'inherit', timeout: INSTALLER_TIMEOUT_MS } as const;
  return spawnSync(program, parameters, options).status === 0;
}

function provideChromium(): string | null {
  const present = findChromium();
  if (present) return present;
  for (const { what, possible, run } of attempts) {
    if (!possible()) continue;
    console.log(`No Chromium found; trying ${what}.`);
    if (!run.every(succeeds)) continue;
    const installed = findChromium();
    if (installed) return installed;
  }
  return null;
}

const [command, ...parameters] = process.argv.slice(2);
if (!command) {
  console.error('Usage: tsx scripts/with-browser.ts "command" [parameters]');
  process.exit(2);
}
const chromium = provideChromium();
if (!chromium) {
  console.error(
    'These tests need a Chromium, and none was found or could be installed. Install one ' +
      '(`apt-get install chromium`, `npx playwright install chromium`) or set CHROMIUM_PATH to its executable.',
  );
  process.exit(1);
}
console.log(`Browser: ${chromium}`);
const options = { stdio: 'inherit', env: { ...process.env, CHROMIUM_PATH: chromium } } as const;
// "$@" takes the parameters as they are; joined to the command, the shell would split them anew.
const ran =
  parameters.length === 0
    ? spawnSync(command, { ...options, shell: true })
    : spawnSync('sh', ['-c', `${command} "$@"`, 'sh', ...parameters], options);
// A command that a signal ended has no exit code; it has not succeeded either.
process.exit(ran.status ?? 1);
