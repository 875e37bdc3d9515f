import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { chromium } from '@playwright/test';
import { createServer } from 'vite';
import { RUNTIME_FILE } from '../src/analysis/assets.ts';
import { packedName } from '../src/analysis/download.ts';
import { chromiumArguments, findChromium } from '../src/playwright/chromium.ts';
import { manifestOf, readAssets } from './manifest.ts';
// For its declaration of `window.profileBoth`.
import type {} from './profile-page.ts';
import { asOtherMachine, KEPT_FUNCTIONS, parseKept } from './wasm.ts';

/*
 * `npm run profile [-- --anew]`: adds the functions of the runtime that the analysis calls now to
 * `scripts/kept-functions.txt`; with `--anew`, for another version of the runtime, the old list is forgotten. Needs
 * `wasm-split` of binaryen, and `../shared`; afterwards `npm run models` tells the new hash of the slim runtime.
 */

const REPOSITORY = fileURLToPath(new URL('..', import.meta.url));
const SHARED = join(REPOSITORY, '../shared');

/** What the module uses, as binaryen calls it. */
const FEATURES = [
  'simd',
  'bulk-memory',
  'nontrapping-float-to-int',
  'sign-ext',
  'mutable-globals',
  'multivalue',
  'reference-types',
];

function instrumented(module: Uint8Array): Buffer {
  const folder = mkdtempSync(join(tmpdir(), 'kyc-profile-'));
  const [plain, counting] = [join(folder, 'plain.wasm'), join(folder, 'counting.wasm')];
  writeFileSync(plain, module);
  const features = FEATURES.map((feature) => `--enable-${feature}`);
  const options = ['--instrument', '--profile-export=__write_profile', ...features];
  execFileSync('wasm-split', [...options, plain, '-o', counting]);
  const bytes = readFileSync(counting);
  rmSync(folder, { recursive: true });
  return bytes;
}

/** Files below a folder with one of these endings. */
function filesIn(folder: string, endings: readonly string[]): readonly string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((file) => endings.includes(extname(file)))
    .sort()
    .map((file) => join(folder, file));
}

const assets = readAssets();
const runtime = assets[RUNTIME_FILE.full];
if (runtime === undefined) throw new Error('The assets are not built: run `npm run models`.');
const folders = new Map(
  Object.entries({ here: runtime, elsewhere: asOtherMachine(runtime) }).map(([name, module]) => {
    const counting = instrumented(module);
    // The plain file alone: what is compressed beside it is the one that does not count.
    const { [packedName(RUNTIME_FILE.full)]: _, ...others } = assets;
    return [name, { ...others, [RUNTIME_FILE.full]: counting }];
  }),
);
const filesOf = (folder: string): Readonly<Record<string, Buffer>> => folders.get(folder) ?? {};
const pictures = [...filesIn(join(SHARED, 'photos'), ['.jpg']), ...filesIn(join(SHARED, 'cards'), ['.jpg'])];
const clips = filesIn(join(SHARED, 'clips'), ['.mkv']);

const server = await createServer({
  root: REPOSITORY,
  configFile: false,
  logLevel: 'error',
  optimizeDeps: { include: ['comlink', '@mediapipe/tasks-vision'], noDiscovery: true },
  cacheDir: join(REPOSITORY, 'node_modules/.cache/profile'),
  server: { port: 0, host: '127.0.0.1', hmr: false, watch: null },
  plugins: [
    {
      name: 'profile',
      configureServer({ middlewares }) {
        middlewares.use('/profile', (request, response) => {
          const [, kind = '', name = ''] = (request.url ?? '').split('/');
          const list = kind === 'photo' ? pictures : kind === 'clip' ? clips : [];
          const file = list[Number(name)];
          const bytes = file === undefined ? filesOf(kind)[name] : readFileSync(file);
          if (kind === 'page')
            response
              .setHeader('content-type', 'text/html')
              .end('<script type="module" src="/scripts/profile-page.ts"></script>');
          else if (bytes === undefined) response.writeHead(404).end();
          else response.setHeader('content-type', 'application/octet-stream').end(bytes);
        });
      },
    },
  ],
});
await server.listen();
const address = server.httpServer?.address();
if (address === null || typeof address !== 'object') throw new Error('The server has no port.');
const executablePath = findChromium();
const browser = await chromium.launch({
  ...(executablePath === null ? {} : { executablePath }),
  args: chromiumArguments('none'),
});
try {
  const before = process.argv.includes('--anew')
    ? new Set<number>()
    : parseKept(readFileSync(KEPT_FUNCTIONS, 'utf8'));
  const kept = new Set(before);
  for (const [name, files] of folders) {
    const page = await browser.newPage();
    page.on('pageerror', (error) => console.error(error));
    await page.goto(`http://127.0.0.1:${address.port}/profile/page`);
    await page.waitForFunction(() => 'profileBoth' in window);
    const called = await page.evaluate((order) => window.profileBoth(order), {
      assetsBase: `http://127.0.0.1:${address.port}/profile/${name}/`,
      manifest: JSON.parse(manifestOf(files)) as Parameters<typeof window.profileBoth>[0]['manifest'],
      photos: pictures.map((_, i) => `/profile/photo/${i}`),
      clips: clips.map((_, i) => `/profile/clip/${i}`),
    });
    for (const index of called) kept.add(index);
    console.log(
      `${name}: ${called.length} functions called, ${called.filter((index) => !before.has(index)).length} of them not on the list.`,
    );
    await page.close();
  }
  writeFileSync(KEPT_FUNCTIONS, `${[...kept].sort((a, b) => a - b).join('\n')}\n`);
  console.log(
    `${basename(KEPT_FUNCTIONS.pathname)}: ${kept.size} functions, ${kept.size - before.size} of them new.`,
  );
} finally {
  await browser.close();
  await server.close();
}
