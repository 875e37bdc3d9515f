import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** Long enough for a slow line; an install that hangs must not hang the benchmark. */
const PATIENCE_MS = 180_000;

/** What is installed together, by name and exact version. The first is what the folder is named after. */
export type Packages = readonly [string, ...string[]];

/** Written last, so that an install that was cut off is made anew. */
const COMPLETE = 'complete';

/**
 * Installs packages into a folder of their own below the system's temporary folder, outside the project, and
 * without running any script of theirs. An install of an earlier run is used again.
 * @param packages as npm takes them, each with its exact version: the peer's own range would let the figures drift
 * @returns the folder that holds `node_modules`
 * @throws Error whose message is npm's first complaint
 */
export async function install(packages: Packages): Promise<string> {
  const folder = join(tmpdir(), 'kyc-capture-bench', packages.join('+').replaceAll(/[^\w@.+-]/g, '_'));
  if (existsSync(join(folder, COMPLETE))) return folder;
  await mkdir(folder, { recursive: true });
  const quiet = ['--no-save', '--no-package-lock', '--ignore-scripts', '--no-audit', '--no-fund'];
  try {
    // The peers of a peer are frameworks that it can do without.
    const words = ['install', ...quiet, '--legacy-peer-deps', '--prefix', folder, ...packages];
    await run('npm', words, { cwd: folder, timeout: PATIENCE_MS });
  } catch (error) {
    throw new Error(`${packages[0]} could not be installed: ${complaintOf(error)}`, { cause: error });
  }
  await writeFile(join(folder, COMPLETE), '');
  return folder;
}

function complaintOf(error: unknown): string {
  const told = error instanceof Error && 'stderr' in error ? String(error.stderr) : '';
  const complaint = told.split('\n').find((line) => line.startsWith('npm error'));
  return complaint ?? (error instanceof Error ? error.message.split('\n', 1).join('') : String(error));
}
