import { afterEach, describe, expect, test } from 'vitest';
import { commands } from 'vitest/browser';
import { CONTENT_SECURITY_POLICY } from '../../demo/hosting.ts';

/*
 * Every rung under the policy that the README asks of pages, and what a folder on another origin needs besides.
 */

afterEach(() => commands.closeFolders());

describe.each(['worker', 'main-thread', 'face-box'] as const)('the rung %s', (rung) => {
  test('runs under the strict policy and breaks none of it', async () => {
    const run = await commands.runUnderPolicy({ policy: CONTENT_SECURITY_POLICY, rung });
    expect(run).toEqual({ outcome: 'face', violations: [] });
  });
  test('runs from another origin where the policy allows blobs and that origin', async () => {
    const folder = await commands.serveFolder({ cors: true });
    const { origin } = new URL(folder.base);
    const script = rung === 'main-thread' ? ' blob:' : '';
    const policy = CONTENT_SECURITY_POLICY.replace("connect-src 'self'", `connect-src 'self' ${origin}`)
      .replace("worker-src 'self'", "worker-src 'self' blob:")
      .replace("script-src 'self'", `script-src 'self'${script}`);
    const run = await commands.runUnderPolicy({ policy, rung, folder });
    expect(run).toEqual({ outcome: 'face', violations: [] });
  });
});

test('without blobs a worker from another origin is refused as what this page cannot do', async () => {
  const folder = await commands.serveFolder({ cors: true });
  const { origin } = new URL(folder.base);
  const policy = CONTENT_SECURITY_POLICY.replace("connect-src 'self'", `connect-src 'self' ${origin}`);
  const { outcome, violations } = await commands.runUnderPolicy({ policy, rung: 'worker', folder });
  expect(outcome).toMatch(/^analysis-failed: /);
  expect(violations).toEqual(['worker-src blob']);
});

const withoutWasm = CONTENT_SECURITY_POLICY.replace(" 'wasm-unsafe-eval'", '');

test("without 'wasm-unsafe-eval' a worker whose own policy has it compiles the runtime itself", async () => {
  const run = { policy: withoutWasm, workerPolicy: CONTENT_SECURITY_POLICY, rung: 'worker' } as const;
  expect((await commands.runUnderPolicy(run)).outcome).toBe('face');
});

test("without 'wasm-unsafe-eval' the main thread is refused", async () => {
  const policy = withoutWasm;
  const { outcome } = await commands.runUnderPolicy({ policy, rung: 'main-thread' });
  expect(outcome).toMatch(/^analysis-failed: .*wasm-unsafe-eval/);
});
