import binaryen from 'binaryen';
import { describe, expect, test } from 'vitest';
import { withoutDeadData } from '../../scripts/dead-data.ts';
import { keepFunctions, optimized, parseKept } from '../../scripts/wasm.ts';

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

/** Data of words. */
const words = (at: number, ...values: readonly number[]): string => {
  const bytes = Buffer.from(Int32Array.from(values).buffer);
  return `(data (i32.const ${at}) "${[...bytes].map((byte) => `\\${byte.toString(16).padStart(2, '0')}`).join('')}")`;
};
const text = (at: number, value: string): string => `(data (i32.const ${at}) "${value}\\00")`;

/** Addresses of what a compiler makes of two classes, one made by a function that is kept, and of tables of names. */
const CLASS = {
  kind: { name: 4096, type: 4160, table: 4176 },
  kept: { name: 4224, type: 4288, table: 4304 },
  lost: { name: 4352, type: 4416, table: 4432 },
  names: { kept: 4608, lost: 4672, first: 4736 },
};
/** Texts that the tables of names point at, each 16 bytes after the other; the last is the end of the one before. */
const NAMES = [
  ...Array.from({ length: 7 }, (_, i) => CLASS.names.first + 16 * i),
  CLASS.names.first + 96 + 5,
];

/** Function 0 makes an object of a class and reads a name, 1 does so with the other class and the other names. */
const CLASSES = (() => {
  const { kind, kept, lost, names } = CLASS;
  const making = (table: number, list: number): string =>
    `(i32.store (i32.const 16) (i32.const ${table + 8}))
     (i32.add (i32.load (i32.load (i32.const 16))) (i32.load8_u (i32.load offset=${list} (i32.shl (i32.load (i32.const 20)) (i32.const 2)))))`;
  return binaryen
    .parseText(
      `(module
    (memory (export "memory") 1)
    (table 8 funcref)
    ${text(kind.name, 'N10__cxxabiv117__class_type_infoE')}
    ${words(kind.type, kind.table + 8, kind.name)}
    ${words(kind.table, 0, kind.type, 1, 2)}
    ${text(kept.name, '9KeptClass')}
    ${words(kept.type, kind.table + 8, kept.name)}
    ${words(kept.table, 0, kept.type, 3, 4)}
    ${text(lost.name, '9LostClass')}
    ${words(lost.type, kind.table + 8, lost.name)}
    ${words(lost.table, 0, lost.type, 5, 6, 0, 7)}
    ${words(names.kept, ...NAMES.slice(0, 4), ...NAMES.slice(0, 4))}
    ${words(names.lost, ...NAMES)}
    ${NAMES.slice(0, 7)
      .map((at, i) => text(at, `name number ${i}`))
      .join('\n')}
    (func (export "live") (result i32) ${making(kept.table, names.kept)})
    (func (export "dead") (result i32) ${making(lost.table, names.lost)}))`,
    )
    .emitBinary();
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
    const left = await withoutDeadData(slim, RUNTIME);
    const [before, after] = [await run(slim), await run(left)];
    expect(left.length).toBe(slim.length);
    expect(textAt(before, AT.dead)).toBe(TEXTS[AT.dead]);
    expect(textAt(after, AT.dead)).toBe('');
    for (const at of [AT.live, AT.joined, AT.months, AT.months + 10, AT.months + 20])
      expect(textAt(after, at)).toBe(textAt(before, at));
    expect(after.live()).toBe(before.live());
  });

  test('keeps a text that the data point at', async () => {
    const left = await run(await withoutDeadData(keepFunctions(RUNTIME, new Set([0])), RUNTIME));
    expect(textAt(left, AT.pointed)).toBe(TEXTS[AT.pointed]);
  });

  test('lacks what a compiler made of classes that only lost functions make, and the names that only these list', async () => {
    const slim = keepFunctions(CLASSES, new Set([0]));
    const [before, after] = [await run(slim), await run(await withoutDeadData(slim, CLASSES))];
    const wordsAt = ({ memory }: Exports, at: number, count: number): readonly number[] => [
      ...new Int32Array(memory.buffer, at, count),
    ];
    const { kind, kept, lost, names } = CLASS;
    for (const { name, type, table } of [kind, kept]) {
      expect(textAt(after, name)).toBe(textAt(before, name));
      expect(wordsAt(after, type, 2)).toEqual(wordsAt(before, type, 2));
      expect(wordsAt(after, table, 4)).toEqual(wordsAt(before, table, 4));
    }
    expect(wordsAt(before, lost.table, 4)).toEqual([0, lost.type, 5, 6]);
    expect(textAt(after, lost.name)).toBe('');
    expect(wordsAt(after, lost.type, 2)).toEqual([0, 0]);
    // What follows the functions may be something else.
    expect(wordsAt(after, lost.table, 6)).toEqual([0, 0, 0, 0, 0, 7]);
    expect(wordsAt(after, names.kept, 8)).toEqual(wordsAt(before, names.kept, 8));
    expect(wordsAt(after, names.lost, 8)).toEqual(Array(8).fill(0));
    for (const [i, at] of NAMES.slice(0, 7).entries())
      expect(textAt(after, at)).toBe(i < 4 ? `name number ${i}` : '');
    expect(after.live()).toBe(before.live());
  });

  test.each([['1\nx'], [''], ['-1'], ['1.5']])('has no list like %j', (list) => {
    expect(() => parseKept(list)).toThrow('list of kept functions');
  });

  test('is not made of something else', () => {
    expect(() => keepFunctions(RUNTIME.subarray(0, RUNTIME.length - 5), new Set([0]))).toThrow('cut off');
    expect(() => keepFunctions(RUNTIME, new Set([7]))).toThrow('names function 7');
  });
});
