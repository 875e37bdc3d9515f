import binaryen from 'binaryen';
import { describe, expect, test } from 'vitest';
import { keepFunctions, optimized, parseKept, withoutTexts } from '../../scripts/wasm.ts';

/** Addresses of the texts of `RUNTIME`, and of a table of pointers. */
const AT = { live: 1024, dead: 1088, pointed: 1280, months: 1152, joined: 1216, table: 2049 };
const TEXTS = {
  [AT.live]: 'an error of a function that is kept',
  [AT.dead]: 'a shader of one that is not',
  [AT.pointed]: 'a name that the data point at',
  // One thing of several texts, of which code knows the first alone.
  [AT.months]: 'January__\\00February_\\00September',
  [AT.joined]: 'prefix: and what follows it',
};
const segments = Object.entries(TEXTS).map(([at, text]) => `(data (i32.const ${at}) "${text}\\00")`);

/** Function 0 is kept; 1 is not. The table's word begins with a zero that no segment has. */
const RUNTIME = (() => {
  const module = binaryen.parseText(`(module
    (memory (export "memory") 1)
    ${segments.join('\n')}
    (data (i32.const ${AT.table}) "\\05\\00\\00")
    (func (export "live") (result i32)
      (i32.add
        (i32.load8_u (i32.const ${AT.live}))
        (i32.add (i32.load8_u offset=8 (i32.const ${AT.joined})) (i32.load8_u (i32.const ${AT.months})))))
    (func (export "dead") (result i32)
      (i32.add
        (i32.load8_u (i32.const ${AT.dead}))
        (i32.add (i32.load8_u (i32.const ${AT.pointed})) (i32.load8_u (i32.const ${AT.joined}))))))`);
  return module.emitBinary();
})();

interface Exports {
  readonly memory: WebAssembly.Memory;
  readonly live: () => number;
  readonly dead: () => number;
}

async function run(module: Uint8Array): Promise<Exports> {
  const { instance } = await WebAssembly.instantiate(Uint8Array.from(module));
  return instance.exports as unknown as Exports;
}

const textAt = ({ memory }: Exports, at: number): string =>
  new TextDecoder().decode(memory.buffer.slice(at, at + 64)).split('\0')[0] ?? '';

describe('a slim runtime', () => {
  test('does what is kept, and traps at what is not', async () => {
    const slim = await optimized(keepFunctions(RUNTIME, new Set([0])));
    const [whole, kept] = [await run(RUNTIME), await run(slim)];
    expect(kept.live()).toBe(whole.live());
    expect(() => kept.dead()).toThrow(WebAssembly.RuntimeError);
  });

  test('lacks the texts that only lost functions name, and no other', async () => {
    const slim = await optimized(keepFunctions(RUNTIME, new Set([0])));
    const left = await withoutTexts(slim, RUNTIME);
    const [before, after] = [await run(slim), await run(left)];
    expect(left.length).toBe(slim.length);
    expect(textAt(before, AT.dead)).toBe(TEXTS[AT.dead]);
    expect(textAt(after, AT.dead)).toBe('');
    for (const at of [AT.live, AT.joined, AT.months, AT.months + 10, AT.months + 20])
      expect(textAt(after, at)).toBe(textAt(before, at));
    expect(after.live()).toBe(before.live());
  });

  test('keeps a text that the data point at', async () => {
    const left = await run(await withoutTexts(keepFunctions(RUNTIME, new Set([0])), RUNTIME));
    expect(textAt(left, AT.pointed)).toBe(TEXTS[AT.pointed]);
  });

  test.each([['1\nx'], [''], ['-1'], ['1.5']])('has no list like %j', (list) => {
    expect(() => parseKept(list)).toThrow('list of kept functions');
  });

  test('is not made of something else', () => {
    expect(() => keepFunctions(RUNTIME.subarray(0, RUNTIME.length - 5), new Set([0]))).toThrow('cut off');
    expect(() => keepFunctions(RUNTIME, new Set([7]))).toThrow('names function 7');
  });
});
