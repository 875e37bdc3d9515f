import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';

const run = promisify(execFile);
const root = new URL('../../', import.meta.url);
const built = existsSync(new URL('dist/index.js', root));
if (!built) console.log('SKIPPED: dist/ is not built; run `npm run build` first.');

describe.skipIf(!built)('the built package in plain Node', () => {
  test.each(['kyc-capture', 'kyc-capture/server', 'kyc-capture/server/redis', 'kyc-capture/playwright'])(
    'importing %s does nothing, throws nothing and lets the process end',
    async (name) => {
      const script = `const names = Object.keys(await import('${name}')); process.stdout.write(names.join(' '));`;
      const { stdout, stderr } = await run(process.execPath, ['--input-type=module', '-e', script], {
        cwd: root,
        timeout: 20_000,
      });
      expect(stderr).toBe('');
      expect(stdout).not.toBe('');
    },
  );

  test('the relay is a command that says what it lacks', async () => {
    const relay = run(process.execPath, ['dist/relay.js'], { cwd: root, env: {}, timeout: 20_000 });
    await expect(relay).rejects.toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/^KYC_RELAY_SECRET needs .*\n$/) as string,
    });
  });

  test('a server that renders pages gets no element defined', async () => {
    const script = `await import('kyc-capture'); process.stdout.write(String(globalThis.customElements?.get('kyc-capture')));`;
    const { stdout } = await run(process.execPath, ['--input-type=module', '-e', script], { cwd: root });
    expect(stdout).toBe('undefined');
  });
});
