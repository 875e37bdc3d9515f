import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';

/** The README's table of faults says what the tests do, and the tests do what it says. */

const read = (path: string): string => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');

const [, table = ''] = read('README.md').split('### Faults');
const rows = table
  .split('\n### ')[0]
  ?.split('\n')
  .filter((line) => line.startsWith('| '))
  .slice(2)
  .map((line) => line.split('|').map((cell) => cell.trim()))
  .map(([, fault = '', injected = '', seen = '', file = '']) => ({
    fault,
    injected,
    seen,
    file: file.replaceAll('`', ''),
  }));

test.each(rows ?? [])(
  '$fault: has a test, and says how it is made and what is seen',
  ({ injected, seen, file }) => {
    expect(injected).not.toBe('');
    expect(seen).not.toBe('');
    expect(read(`test/${file}`)).toMatch(/\btest(\.each)?\(/);
  },
);

/** The fault in a test's title is what stands before the colon; a value that is spliced in may be anything. */
const faultsIn = (file: string): readonly RegExp[] =>
  [...read(`test/${file}`).matchAll(/^\s*test\(\s*(['`])(.+?)\1,/gms)].map(([, , title = '']) => {
    const [fault = ''] = title.split(':');
    const escaped = fault.replaceAll(/\$\{.*?\}/g, '\0').replaceAll(/[.*+?^$()[\]\\|]/g, '\\$&');
    return new RegExp(`^${escaped.replaceAll('\0', '.+')}$`);
  });

/** Not faults, but what the page asked for. */
const WISHES = /kiosk|nothing kept/;

describe.each(['e2e/trouble.spec.ts', 'e2e/sending.spec.ts'])('%s', (file) => {
  test.each(faultsIn(file).map((fault) => [fault]))('%s is in the table', (fault) => {
    const named = rows?.some((row) => row.file === file && fault.test(row.fault)) ?? false;
    expect(named || WISHES.test(fault.source) || fault.test('in a kiosk')).toBe(true);
  });
});
