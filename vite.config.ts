import { transform } from 'lightningcss';
import { defineConfig, type Plugin, type UserConfig } from 'vite';
import { CONTENT_SECURITY_POLICY } from './demo/hosting.ts';
import { builtAssets, writeManifest } from './scripts/manifest.ts';

const source = (path: string): string => new URL(path, import.meta.url).pathname;

/** Why each rule and limit has its figure is for those who read the source; a phone need not load it. */
const withoutReasons: Plugin = {
  name: 'without-reasons',
  enforce: 'pre',
  transform: (code, id) =>
    id.includes('/src/domain/')
      ? { code: code.replace(/^\s+(why|source):\s+(['"]).*\2,$/gm, ''), map: null }
      : null,
};

/** Styles and the indents of templates, which a minifier of scripts leaves as they are. */
const shortTemplates: Plugin = {
  name: 'short-templates',
  enforce: 'pre',
  transform: (code, id) =>
    id.includes('/src/element/')
      ? { code: code.replace(/css`([^`]*)`/g, shortStyles).replace(/\n\s+/g, '\n'), map: null }
      : null,
};

function shortStyles(_: string, styles: string): string {
  const { code } = transform({ filename: 'styles.css', code: Buffer.from(styles), minify: true });
  return `css\`${code.toString()}\``;
}

/** The manifest has the worker's hash as well. */
const listedInManifest: Plugin = { name: 'listed-in-manifest', writeBundle: () => writeManifest() };

/** What src/analysis/analysis.ts holds every file against; without it no element could load anything. */
function assetsOf(mode: string): Record<string, string> {
  const assets = builtAssets();
  const needsThem = ['library', 'standalone', 'demo'].includes(mode);
  if (assets.ASSETS_MANIFEST === 'null' && needsThem)
    throw new Error('public/assets/ is not built: run `npm run build`.');
  return assets;
}

/** A page on a static host gets no headers, so it brings its policy itself. */
const withPolicy: Plugin = {
  name: 'with-policy',
  transformIndexHtml: () => [
    {
      tag: 'meta',
      attrs: { 'http-equiv': 'content-security-policy', content: CONTENT_SECURITY_POLICY },
      injectTo: 'head-prepend',
    },
  ],
};

/** One configuration per build; `npm run build` runs worker, library and standalone in this order. */
const builds: Record<string, UserConfig> = {
  // The worker lies beside the models, so that one folder holds everything heavy.
  worker: {
    publicDir: false,
    plugins: [listedInManifest],
    build: {
      outDir: 'public/assets',
      emptyOutDir: false,
      lib: { entry: source('src/analysis/worker.ts'), formats: ['es'], fileName: () => 'worker.js' },
      rolldownOptions: { output: { codeSplitting: false, minify: true } },
    },
  },
  // For bundlers and Node: dependencies stay imports, so that lit's own Node build serves a server.
  library: {
    build: {
      outDir: 'dist',
      emptyOutDir: true,
      minify: false,
      lib: {
        entry: {
          index: source('src/index.ts'),
          server: source('src/server/index.ts'),
          redis: source('src/server/redis.ts'),
          relay: source('src/server/relay-main.ts'),
          playwright: source('src/playwright/index.ts'),
        },
        formats: ['es'],
      },
      rolldownOptions: {
        external: [/^[^./]/],
        output: { chunkFileNames: 'chunks/[name].js' },
      },
    },
  },
  // For a page without a bundler: what not every page needs lies apart, and so does what several files share.
  standalone: {
    publicDir: false,
    plugins: [withoutReasons, shortTemplates],
    build: {
      outDir: 'dist',
      emptyOutDir: false,
      lib: { entry: source('src/index.ts'), formats: ['es'], fileName: () => 'kyc-capture.js' },
      rolldownOptions: {
        output: {
          minify: true,
          // One file for all that several share, however many they are.
          codeSplitting: { groups: [{ name: 'shared', minShareCount: 2 }] },
          chunkFileNames: 'kyc-capture-[name].js',
        },
      },
    },
  },
  demo: {
    root: 'demo',
    base: './',
    publicDir: false,
    plugins: [withPolicy],
    build: {
      outDir: source('dist-demo'),
      emptyOutDir: true,
      rolldownOptions: { input: [source('demo/index.html'), source('demo/kiosk/index.html')] },
    },
  },
  // One classic script: not every browser takes a module as a service worker.
  'sandbox-worker': {
    publicDir: false,
    build: {
      outDir: 'dist-demo',
      emptyOutDir: false,
      lib: {
        entry: source('demo/sandbox-worker/worker.ts'),
        formats: ['iife'],
        name: 'sandboxWorker',
        fileName: () => 'sandbox-worker.js',
      },
      rolldownOptions: { output: { minify: true } },
    },
  },
};

export default defineConfig(({ mode }) => ({
  define: { ...assetsOf(mode), ...(mode === 'standalone' ? { STANDALONE: 'true' } : {}) },
  build: {},
  ...builds[mode],
}));
