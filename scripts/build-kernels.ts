import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

/*
 * Compiles the loops of `src/analysis/simd/kernels.ts` into `src/analysis/kernels-code.ts`, which is kept with the source,
 * so that nothing that reads the analysis needs a compiler; a test compiles them anew.
 */

const SOURCE = fileURLToPath(new URL('../src/analysis/simd/kernels.ts', import.meta.url));
const TARGET = fileURLToPath(new URL('../src/analysis/kernels-code.ts', import.meta.url));

/** Run, not imported: its types declare the globals of AssemblyScript, other ones than those of TypeScript. */
const COMPILER = createRequire(import.meta.url).resolve('assemblyscript/bin/asc.js');

/**
 * What `kernels-code.ts` has to be.
 * @throws Error with what the compiler says of a source that it does not take
 */
export async function kernelsCode(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'kernels-'));
  try {
    const file = join(folder, 'kernels.wasm');
    await promisify(execFile)(process.execPath, [
      ...[COMPILER, SOURCE, '--outFile', file],
      ...['-O3', '--noAssert', '--runtime', 'stub', '--enable', 'simd'],
      ...['--importMemory', '--noExportMemory'],
    ]);
    return [
      '/** `simd/kernels.ts`, compiled and in base64, as `scripts/build-kernels.ts` writes it. */',
      'export const KERNELS_CODE =',
      `  '${await readFile(file, 'base64')}';`,
      '',
    ].join('\n');
  } finally {
    await rm(folder, { recursive: true });
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await writeFile(TARGET, await kernelsCode());
