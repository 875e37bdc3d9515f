import { fileURLToPath } from 'node:url';
import { serveDemo } from '../../demo/serve.ts';

/** The demo server of the end-to-end tests: run by itself, it serves. */
export const PORT = 8791;
export const ORIGIN = `http://localhost:${PORT}`;

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  // Whoever waits for a job sees it once going on and once ended; each further time costs a second.
  await serveDemo({ port: PORT, app: { sandbox: { pollsBeforeEnd: 1 } } });
}
