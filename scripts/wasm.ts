/*
 * A WebAssembly module with fewer functions: the bodies that are not on a list are replaced, everything else stays as
 * it is, so that types, imports, table, data and every index go on to fit. What nothing leads to then is left out, and
 * the texts that nothing names any more.
 */

/** The list of the functions that the analysis calls, for the one version of the runtime; `npm run profile` makes it. */
export const KEPT_FUNCTIONS = new URL('kept-functions.txt', import.meta.url);

/** Section of the functions' bodies, and that of what is in memory at the beginning. */
const CODE = 10;
const DATA = 11;

/** A body of three bytes: no locals, `unreachable`, `end`. */
const TRAP = Uint8Array.of(3, 0, 0x00, 0x0b);

const HEADER_BYTES = 8;

/** Reads unsigned LEB128 numbers one after the other. */
class Reader {
  at: number;
  readonly bytes: Uint8Array;

  constructor(bytes: Uint8Array, at: number) {
    this.bytes = bytes;
    this.at = at;
  }

  number(): number {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = this.bytes[this.at++];
      if (byte === undefined || shift > 28) throw new Error('The module is cut off, or none.');
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) return value;
    }
  }
}

function encoded(value: number): Uint8Array {
  const bytes: number[] = [];
  for (let rest = value; ; rest = Math.floor(rest / 128)) {
    bytes.push(rest < 128 ? rest : (rest % 128) | 0x80);
    if (rest < 128) return Uint8Array.from(bytes);
  }
}

/** A section of a module: its number, and where it and what it holds begin and end. */
interface Section {
  readonly number: number;
  readonly start: number;
  readonly body: number;
  readonly end: number;
}

/** @throws Error where the bytes are no module */
function* sectionsOf(module: Uint8Array): Generator<Section> {
  const reader = new Reader(module, HEADER_BYTES);
  while (reader.at < module.length) {
    const start = reader.at;
    const number = reader.number();
    const length = reader.number();
    const body = reader.at;
    const end = (reader.at += length);
    if (end > module.length) throw new Error('The module is cut off, or none.');
    yield { number, start, body, end };
  }
}

/**
 * The module with a trap (`RuntimeError: unreachable`) in place of every function that is not kept.
 * @param kept indices among the functions that the module defines; imported ones do not count
 * @throws Error where the bytes are no such module
 */
export function keepFunctions(module: Uint8Array, kept: ReadonlySet<number>): Uint8Array {
  const parts: Uint8Array[] = [module.subarray(0, HEADER_BYTES)];
  for (const { number, start, body, end } of sectionsOf(module)) {
    if (number === CODE) {
      const bodies = keptBodies(new Reader(module, body), kept);
      const size = bodies.reduce((sum, { length: bytes }) => sum + bytes, 0);
      parts.push(Uint8Array.of(CODE), encoded(size), ...bodies);
    } else {
      parts.push(module.subarray(start, end));
    }
  }
  return Buffer.concat(parts);
}

function keptBodies(reader: Reader, kept: ReadonlySet<number>): readonly Uint8Array[] {
  const count = reader.number();
  const last = Math.max(-1, ...kept);
  if (last >= count) throw new Error(`The list names function ${last}; the module has ${count}.`);
  const bodies = Array.from({ length: count }, (_, i) => {
    const start = reader.at;
    // Its own length is not part of what it counts.
    const length = reader.number();
    reader.at += length;
    return kept.has(i) ? reader.bytes.subarray(start, reader.at) : TRAP;
  });
  return [encoded(count), ...bodies];
}

/** Where it is needed: it takes longer to load than all the rest. */
const loadBinaryen = async () => (await import('binaryen')).default;

/**
 * The module without what nothing leads to: the functions that only calls to others were for, and what follows a trap.
 * Browsers compile each function when it is first called, so that fewer start sooner as well. Takes half a minute.
 */
export async function optimized(module: Uint8Array): Promise<Uint8Array> {
  const binaryen = await loadBinaryen();
  const { Features } = binaryen;
  const parsed = binaryen.readBinary(module);
  // Those that the module has: with others, it would become one that older browsers refuse.
  parsed.setFeatures(
    Features.SIMD128 |
      Features.BulkMemory |
      Features.BulkMemoryOpt |
      Features.NontrappingFPToInt |
      Features.SignExt |
      Features.MutableGlobals |
      Features.Multivalue |
      Features.ReferenceTypes,
  );
  binaryen.setOptimizeLevel(2);
  binaryen.setShrinkLevel(0);
  parsed.optimize();
  return parsed.emitBinary();
}

/** What a module puts into its memory, where its bytes begin in the module, and the address that they get. */
interface Segment {
  readonly at: number;
  readonly length: number;
  readonly address: number;
}

/** Opcodes of the expression that says where a segment goes. */
const I32_CONST = 0x41;
const END = 0x0b;

function segmentsOf(module: Uint8Array): readonly Segment[] {
  const data = [...sectionsOf(module)].find(({ number }) => number === DATA);
  if (data === undefined) return [];
  const reader = new Reader(module, data.body);
  return Array.from({ length: reader.number() }, () => {
    const isActive = reader.number() === 0 && reader.number() === I32_CONST;
    // Signed, but no address is so high that it would be read otherwise.
    const address = reader.number();
    if (!isActive || reader.number() !== END) throw new Error('A segment has no fixed address.');
    const length = reader.number();
    const at = reader.at;
    reader.at += length;
    return { at, length, address };
  });
}

/** Every number in a module's code that may be an address. */
async function numbersIn(module: Uint8Array): Promise<ReadonlySet<number>> {
  const binaryen = await loadBinaryen();
  const parsed = binaryen.readBinary(module);
  const text = parsed.emitText();
  parsed.dispose();
  const code = text.slice(text.indexOf('\n (func '));
  const numbers = new Set<number>();
  const add = (word: number): unknown => numbers.add(word >>> 0);
  for (const [, word = 0] of code.matchAll(/(?:i32\.const |offset=)(-?\d+)/g)) add(Number(word));
  for (const [, offset, base] of code.matchAll(/offset=(\d+)[^\n]*\n\s*\(i32\.const (-?\d+)\)/g))
    add(Number(offset) + Number(base));
  // Two addresses that are stored at once, or four.
  for (const [, word = 0] of code.matchAll(/i64\.const (-?\d+)/g))
    for (const half of [BigInt(word), BigInt(word) >> 32n]) add(Number(BigInt.asUintN(32, half)));
  for (const [, words = ''] of code.matchAll(/v128\.const i32x4 ([^)]*)\)/g))
    for (const word of words.split(' ')) add(Number(word));
  return numbers;
}

/** Shorter ones are not worth it, and may be something else, bytes. */
const SHORTEST_TEXT = 8;

const isLetter = (byte: number): boolean =>
  (byte >= 0x20 && byte < 0x7f) || [0x09, 0x0a, 0x0d].includes(byte);

/**
 * The module without the texts that only functions name which it has lost: messages, shaders, names of operations. Zeros
 * take their place. A text ends with a zero, and something in the whole module points at it, so that no part of a table
 * is taken for one; nothing in this module's code or data does.
 * @param whole the module that this one was made of
 */
export async function withoutTexts(module: Uint8Array, whole: Uint8Array): Promise<Uint8Array> {
  const [named, everNamed] = [new Set(await numbersIn(module)), await numbersIn(whole)];
  const segments = segmentsOf(module);
  // Of the memory as a whole: a segment may begin or end within a word or a text, where there are zeros.
  const size = Math.max(0, ...segments.map(({ address, length }) => address + length)) + 4;
  const memory = new Uint8Array(size);
  for (const { at, length, address } of segments) memory.set(module.subarray(at, at + length), address);
  const words = new DataView(memory.buffer);
  for (let at = 0; at + 4 <= size; at += 4) named.add(words.getUint32(at, true));
  const isIn = (numbers: ReadonlySet<number>, from: number, end: number): boolean => {
    for (let at = from; at <= end; at++) if (numbers.has(at)) return true;
    return false;
  };
  for (let from = 0, end = 0; end < size; end++) {
    const byte = memory[end] ?? 0;
    if (isLetter(byte)) continue;
    const isText = byte === 0 && end - from >= SHORTEST_TEXT;
    if (isText && isIn(everNamed, from, end) && !isIn(named, from, end)) memory.fill(0, from, end);
    from = end + 1;
  }
  const left = Uint8Array.from(module);
  for (const { at, length, address } of segments) left.set(memory.subarray(address, address + length), at);
  return left;
}

/** Reads a list of kept functions: one index a line. */
export function parseKept(text: string): ReadonlySet<number> {
  const lines = text.split('\n').filter((line) => line !== '');
  const indices = lines.map(Number);
  if (lines.length === 0 || !indices.every((index) => Number.isInteger(index) && index >= 0))
    throw new Error('The list of kept functions has a line that is no index.');
  return new Set(indices);
}
