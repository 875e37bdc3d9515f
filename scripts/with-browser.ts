import { spawnSync } from 'node:child_process';
import { findChromium } from '../src/playwright/chromium.ts';
import { CHROMIUM, ENGINES, findHeadlessShell, findProgram, howToInstall, type Engine } from './engines.ts';

/**
 * Runs a command with CHROMIUM_PATH set: `tsx scripts/with-browser.ts [--engines] "playwright test"`. What follows the
 * command is passed on to it word for word, blanks and all. Looks for a browser first, because a machine that reaches
 * only package registries cannot download one. With `--engines` it provides the other engines as well, where the
 * machine allows; their tests are left out where it does not. HEADLESS_SHELL_PATH is set where the system has one, unless
 * another browser was asked for.
 */

interface Attempt {
  readonly what: string;
  readonly possible: (engine: Engine) => boolean;
  readonly run: (engine: Engine) => readonly string[][];
}

const isRoot = process.getuid?.() === 0;
const has = (program: string): boolean => findProgram(program) !== null;

const ATTEMPTS: readonly Attempt[] = [
  {
    what: "Playwright's installer",
    // Its Firefox and WebKit are builds of its own, which only its own driver can drive.
    possible: (engine) => engine === CHROMIUM,
    run: () => [['npx', 'playwright', 'install', 'chromium']],
  },
  { what: 'apt-get, as root', possible: () => isRoot && has('apt-get'), run: aptGet([]) },
  {
    what: 'apt-get, with sudo',
    possible: () => !isRoot && has('sudo') && has('apt-get'),
    run: aptGet(['sudo', '-n']),
  },
];

function aptGet(prefix: readonly string[]): Attempt['run'] {
  return ({ packages }) => [
    [...prefix, 'apt-get', 'update'],
    [...prefix, 'apt-get', 'install', '-y', '--no-install-recommends', ...packages],
  ];
}

/** An installer that hangs on a closed network must not hang the tests. */
const INSTALLER_TIMEOUT_MS = 5 * 60_000;

function succeeds([program, ...parameters]: string[]): boolean {
  if (!program) return false;
  const options = { stdio: 'inherit', timeout: INSTALLER_TIMEOUT_MS } as const;
  return spawnSync(program, parameters, options).status === 0;
}

function provide(engine: Engine): boolean {
  if (engine.found()) return true;
  for (const { what, possible, run } of ATTEMPTS) {
    if (!possible(engine)) continue;
    console.log(`No ${engine.name} found; trying ${what}.`);
    if (run(engine).every(succeeds) && engine.found()) return true;
  }
  return false;
}

const given = process.argv.slice(2);
const wanted = given[0] === '--engines' ? ENGINES : [CHROMIUM];
const [command, ...parameters] = given.slice(wanted === ENGINES ? 1 : 0);
if (!command) {
  console.error('Usage: tsx scripts/with-browser.ts [--engines] "command" [parameters]');
  process.exit(2);
}
for (const engine of wanted) {
  if (provide(engine)) continue;
  if (engine !== CHROMIUM) {
    console.warn(`${howToInstall(engine)} Its tests are left out.`);
    continue;
  }
  console.error(
    'These tests need a Chromium, and none was found or could be installed. Install one ' +
      '(`apt-get install chromium`, `npx playwright install chromium`) or set CHROMIUM_PATH to its executable.',
  );
  process.exit(1);
}
const shell = process.env['CHROMIUM_PATH'] ? null : findHeadlessShell();
const chromium = findChromium();
console.log(`Browser: ${chromium}${shell ? `, and ${shell} where no camera device is needed` : ''}`);
const env = { HEADLESS_SHELL_PATH: shell ?? undefined, ...process.env, CHROMIUM_PATH: chromium ?? undefined };
const options = { stdio: 'inherit', env } as const;
// "$@" takes the parameters as they are; joined to the command, the shell would split them anew.
const ran =
  parameters.length === 0
    ? spawnSync(command, { ...options, shell: true })
    : spawnSync('sh', ['-c', `${command} "$@"`, 'sh', ...parameters], options);
// A command that a signal ended has no exit code; it has not succeeded either.
process.exit(ran.status ?? 1);
