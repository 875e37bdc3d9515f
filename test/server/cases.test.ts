import { readFileSync } from 'node:fs';
import { describe, expect, test, vi } from 'vitest';
import { CaptureError } from '../../src/domain/result.ts';
import { createApp, createRelay, SANDBOX_CASES, type SandboxCase } from '../../src/server/index.ts';
import { submit, type SubmitRequest } from '../../src/session/submit.ts';
import { DIRECT, PAGE, picturesOf, QUICK, request, SECRETS } from './support.ts';

vi.setConfig({ testTimeout: 30_000 });

/* The sandbox's cases: as the README has them, and where the fields of a card are asked for alone. */

const isVerdict = (expectation: string): boolean => /verified$/.test(expectation);

const rowOf = ({ prefix, says, expected }: SandboxCase): readonly string[] => {
  const { identifai, direct = identifai, eendigo, document } = expected;
  const alone = document ?? (isVerdict(identifai) ? 'read' : 'the same');
  return [`\`${prefix}\``, says, ...[identifai, direct, eendigo, alone].map(codeOf)];
};
const codeOf = (word: string): string =>
  isVerdict(word) || word === 'read' || word === 'the same' ? word.replace('-', ' ') : `\`${word}\``;

test("the README's table of cases is the sandbox's", () => {
  const readme = readFileSync(new URL('../../README.md', import.meta.url), 'utf8');
  const section = readme.slice(readme.indexOf('| `ref-number` begins with'));
  const rows = section
    .slice(0, section.indexOf('\n\n'))
    .split('\n')
    .slice(2)
    .map((line) =>
      line
        .split('|')
        .slice(1, -1)
        .map((cell) => cell.trim()),
    );
  expect(rows).toEqual(SANDBOX_CASES.map(rowOf));
});

const app = createApp(QUICK);
const WAYS: readonly { way: 'identifai' | 'direct' | 'eendigo'; changes: Partial<SubmitRequest> }[] = [
  { way: 'identifai', changes: {} },
  { way: 'direct', changes: DIRECT },
  { way: 'eendigo', changes: { provider: 'eendigo' } },
];

describe.each(WAYS)('the fields of a card alone, $way', ({ way, changes }) => {
  test.each(SANDBOX_CASES)('$prefix', async ({ prefix, expected }) => {
    const usual =
      (way === 'direct' ? expected.direct : undefined) ?? expected[way === 'eendigo' ? way : 'identifai'];
    const submission = request(app, {
      ...changes,
      analytics: ['ocr-ktp'],
      steps: ['ktp'],
      photos: picturesOf(['ktp']),
      refNumber: `${prefix}${way}`,
    });
    const outcome = await submit(submission).then(
      ({ document, verified }) => (document && !verified ? 'read' : 'nothing'),
      (error: unknown) => (error instanceof CaptureError ? error.code : error),
    );
    expect(outcome).toBe(expected.document ?? (isVerdict(usual) ? 'read' : usual));
  });
});

describe('through a relay that waits for each answer on the line', () => {
  const stage = createApp(QUICK);
  const relay = createRelay({
    secret: SECRETS.relay,
    identifai: {
      ...QUICK.sandbox.identifai,
      base: 'http://sandbox.invalid/sandbox/identifai',
      mode: 'synchronous',
    },
    fetch: async (input, init) => stage.fetch(new Request(input, init)),
  });
  stage.route('/synchronous', relay);
  /** No submission token is used, and no job begun. */
  const DIFFERENT: Readonly<Record<string, string>> = {
    EXPIRED: 'verified',
    JOBNEVERENDS: 'provider-failed',
  };

  test.each(SANDBOX_CASES.filter(({ tokenEndpoint }) => tokenEndpoint === undefined))(
    '$prefix',
    async ({ prefix, expected }) => {
      const tokenEndpoint = new URL('/synchronous/token', PAGE);
      const submission = request(stage, { tokenEndpoint, refNumber: `${prefix}000001` });
      const outcome = await submit(submission).then(
        ({ verified }) => (verified ? 'verified' : 'not-verified'),
        (error: unknown) => (error instanceof CaptureError ? error.code : error),
      );
      expect(outcome).toBe(DIFFERENT[prefix] ?? expected.identifai);
      expect(submission.exchanges.filter(({ method }) => method === 'GET')).toEqual([]);
    },
  );
});
