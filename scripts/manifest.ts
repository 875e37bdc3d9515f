import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { packedName } from '../src/analysis/download.ts';

/*
 * manifest.json: length and hash of every file in the assets folder. The build of the element carries it as well, so
 * that whoever pins the element pins all that it loads.
 */

/** Where the build puts everything heavy. */
export const ASSETS_FOLDER = fileURLToPath(new URL('../public/assets/', import.meta.url));

const MANIFEST = 'manifest.json';

/** Hexadecimal, as the manifest has it. */
export const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

/** As the attribute `integrity` of a script has it. */
export const integrityOf = (manifest: Uint8Array): string =>
  `sha256-${createHash('sha256').update(manifest).digest('base64')}`;

/** The text of a manifest. */
export function manifestOf(files: Readonly<Record<string, Uint8Array>>): string {
  const entries = Object.entries(files)
    .filter(([name]) => !name.endsWith(packedName('')))
    .map(([name, bytes]) => {
      const packed = files[packedName(name)];
      const gzip = packed === undefined ? {} : { gzip: packed.length };
      return [name, { bytes: bytes.length, sha256: sha256(bytes), ...gzip }];
    });
  return `${JSON.stringify(Object.fromEntries(entries), null, 2)}\n`;
}

/** Every file of the assets folder but the manifest, by name, the compressed ones as well. */
export function readAssets(): Record<string, Buffer> {
  const names = readdirSync(ASSETS_FOLDER).filter((name) => name !== MANIFEST);
  return Object.fromEntries(names.sort().map((name) => [name, readFileSync(join(ASSETS_FOLDER, name))]));
}

/** Writes the manifest of what lies in the assets folder now; models and worker come from two steps of the build. */
export function writeManifest(): void {
  const path = join(ASSETS_FOLDER, MANIFEST);
  const manifest = manifestOf(readAssets());
  // A second run leaves the file and its date alone.
  if (!existsSync(path) || readFileSync(path, 'utf8') !== manifest) writeFileSync(path, manifest);
}

/**
 * What the sources know of the built assets by: the manifest, and its integrity for whoever has to name it. Both are
 * null where they are not built.
 */
export function builtAssets(): Record<'ASSETS_INTEGRITY' | 'ASSETS_MANIFEST', string> {
  const path = join(ASSETS_FOLDER, MANIFEST);
  if (!existsSync(path)) return { ASSETS_INTEGRITY: 'null', ASSETS_MANIFEST: 'null' };
  const manifest = readFileSync(path);
  return {
    ASSETS_INTEGRITY: JSON.stringify(integrityOf(manifest)),
    ASSETS_MANIFEST: JSON.stringify(JSON.parse(manifest.toString())),
  };
}
