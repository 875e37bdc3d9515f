import type { AddressInfo } from 'node:net';
import { serve, type ServerType } from '@hono/node-server';
import { Hono } from 'hono';
import { proxy } from 'hono/proxy';
import type { Step } from '../../src/domain/result.ts';
import { inPage, record, type CameraAnswer, type PageNames } from '../../src/playwright/in-page.ts';
import { watch, WATCH } from './watch.ts';

/** The project's driver names its record alike, and then that one is taken. */
export const RECORD: PageNames = {
  record: '__kycCaptureRecord',
  askDriver: '__kycEngineCamera',
  tag: 'kyc-capture',
  events: ['kyc-capture', 'kyc-complete', 'kyc-error'],
};

/** A breach of a policy, as a browser reports it. */
interface Report {
  readonly 'document-uri': string;
  readonly 'violated-directive': string;
  readonly 'blocked-uri': string;
}

/** The demo at an address of its own, prepared for engines whose remote control cannot prepare a page. */
export interface Host {
  /** Ends with a slash. */
  readonly url: string;
  /** What browsers have reported, of pages and workers. */
  readonly reports: Report[];
  /** What a person has on their disk: `/engines/file/PLACE`. */
  files: readonly Uint8Array<ArrayBuffer>[];
  /** Changes the policy that the analysis worker is served with. */
  workerPolicy: (policy: string) => string;
  close(): Promise<void>;
}

const WORKER = '/kyc/assets/worker.js';

/**
 * Passes everything on to the demo at `demo`, with two changes: the page begins with a script that watches it and
 * gives it a canvas for a camera, and every policy names an address for reports.
 */
export async function openHost(demo: string, camera: (step: Step) => Promise<CameraAnswer>): Promise<Host> {
  const reports: Report[] = [];
  const app = new Hono();
  // A browser that is closed breaks off what it was asking for; what fails otherwise fails in the page, too.
  app.onError((_error, context) => context.body(null, 502));
  app.post('/engines/report', async (context) => {
    const { 'csp-report': report } = await context.req.json<{ 'csp-report': Report }>();
    reports.push(report);
    return context.body(null, 204);
  });
  app.get('/engines/camera/:step', async (context) =>
    context.json(await camera(context.req.param('step') as Step)),
  );
  app.get('/engines/prepare.js', (context) => {
    const ask = `window.${RECORD.askDriver} = async ({ step }) => (await fetch('/engines/camera/' + step)).json()`;
    return context.body([ask, inPage(watch, WATCH), inPage(record, RECORD)].join(';\n'), 200, {
      'content-type': 'text/javascript',
    });
  });
  app.get('/engines/file/:place', (context) => {
    const bytes = host.files[Number(context.req.param('place'))];
    return bytes ? context.body(bytes) : context.notFound();
  });
  app.all('*', async (context) => {
    const { pathname, search } = new URL(context.req.url);
    const answer = await proxy(new URL(pathname + search, demo), context.req);
    const policy = answer.headers.get('content-security-policy') ?? '';
    const served = pathname === WORKER ? host.workerPolicy(policy) : policy;
    answer.headers.set('content-security-policy', `${served}; report-uri /engines/report`);
    answer.headers.set('cache-control', 'no-store');
    // Whole, because a body that still flows complains when its browser goes.
    if (pathname !== '/') return new Response(await answer.arrayBuffer(), answer);
    answer.headers.delete('content-length');
    const page = await answer.text();
    return new Response(page.replace('<head>', '<head><script src="/engines/prepare.js"></script>'), answer);
  });
  const { server, port } = await new Promise<{ server: ServerType; port: number }>((resolve) => {
    const server = serve({ fetch: app.fetch, port: 0, hostname: '127.0.0.1' }, ({ port }: AddressInfo) =>
      resolve({ server, port }),
    );
  });
  const host: Host = {
    url: `http://localhost:${port}/`,
    reports,
    files: [],
    workerPolicy: (policy) => policy,
    close: () =>
      new Promise((closed) => {
        server.close(() => closed());
        // A browser that has gone leaves connections that would be waited for.
        if ('closeAllConnections' in server) server.closeAllConnections();
      }),
  };
  return host;
}
