import { loadBinaryen, Reader, SECTION, sectionsOf } from './wasm.ts';

/*
 * What a WebAssembly module has in memory at the beginning, without what only functions lead to that it has lost: tables
 * of virtual functions, records of types, tables of texts, and texts. Zeros take their place, so that every address
 * goes on to fit. A lost function's class cannot come into being, because making one names its table.
 */

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
  const data = [...sectionsOf(module)].find(({ number }) => number === SECTION.data);
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

/** How many functions the module's table has room for; a pointer to a function is less. */
function tableSizeOf(module: Uint8Array): number {
  const table = [...sectionsOf(module)].find(({ number }) => number === SECTION.table);
  if (table === undefined) return 0;
  const reader = new Reader(module, table.body);
  // How many tables, what they hold, and whether there is a limit.
  for (let skipped = 0; skipped < 3; skipped++) reader.number();
  return reader.number();
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

/** A part of the memory, from an address up to another. */
type Extent = readonly [start: number, end: number];

/** The bytes of a word, which is what an address takes. */
const WORD = 4;

/** A module's memory at the beginning. */
class Memory {
  readonly bytes: Uint8Array;
  /** Below, nothing is pointed at. */
  readonly start: number;
  readonly #words: DataView;
  readonly #segments: readonly Segment[];
  /** Where the words lie that hold a value. */
  readonly #holders = new Map<number, number[]>();
  /** 1 for each byte that was cleared. */
  readonly #cleared: Uint8Array;

  constructor(module: Uint8Array) {
    this.#segments = segmentsOf(module);
    // As a whole: a segment may begin or end within a word or a text, where there are zeros.
    const size = Math.max(0, ...this.#segments.map(({ address, length }) => address + length)) + WORD;
    this.start = Math.min(size, ...this.#segments.map(({ address }) => address));
    this.bytes = new Uint8Array(size);
    for (const { at, length, address } of this.#segments)
      this.bytes.set(module.subarray(at, at + length), address);
    this.#words = new DataView(this.bytes.buffer);
    this.#cleared = new Uint8Array(size);
    for (let at = 0; at + WORD <= size; at += WORD) {
      const value = this.word(at);
      const holders = this.#holders.get(value);
      if (holders === undefined) this.#holders.set(value, [at]);
      else holders.push(at);
    }
  }

  word(at: number): number {
    return at + WORD <= this.bytes.length ? this.#words.getUint32(at, true) : 0;
  }

  /** Where the words lie that held this value at the beginning. */
  holdersOf(value: number): readonly number[] {
    return this.#holders.get(value) ?? [];
  }

  /** Zeros in place of it; its words name nothing any more. */
  clear([start, end]: Extent): void {
    this.bytes.fill(0, start, end);
    this.#cleared.fill(1, start, end);
  }

  /** True where a word that is left points into this part. */
  isNamed(extent: Extent): boolean {
    return some(extent, (address) => this.holdersOf(address).some((at) => this.#cleared[at] === 0));
  }

  /** True where a word pointed into this part at the beginning. */
  wasNamed(extent: Extent): boolean {
    return some(extent, (address) => this.#holders.has(address));
  }

  /** The module, with what is left in memory. */
  writtenTo(module: Uint8Array): Uint8Array {
    const left = Uint8Array.from(module);
    for (const { at, length, address } of this.#segments)
      left.set(this.bytes.subarray(address, address + length), at);
    return left;
  }
}

function some([start, end]: Extent, holds: (address: number) => boolean): boolean {
  for (let at = start; at < end; at++) if (holds(at)) return true;
  return false;
}

/**
 * The module without what nothing leads to in memory.
 * @param whole the module that this one was made of
 */
export async function withoutDeadData(module: Uint8Array, whole: Uint8Array): Promise<Uint8Array> {
  const memory = new Memory(module);
  const [named, everNamed] = [await numbersIn(module), await numbersIn(whole)];
  const isNamed = (extent: Extent): boolean =>
    some(extent, (address) => named.has(address)) || memory.isNamed(extent);
  clearTypes(memory, { isNamed, everNamed, tableSize: tableSizeOf(module) });
  const wasNamed = (extent: Extent): boolean =>
    some(extent, (address) => everNamed.has(address)) || memory.wasNamed(extent);
  clearTextTables(memory, isNamed, everNamed);
  clearTexts(memory, isNamed, wasNamed);
  return memory.writtenTo(module);
}

/** The kinds of records of types (Itanium C++ ABI, "RTTI layout"), and their words. */
const TYPE_KINDS = { class: 2, si_class: 3, vmi_class: 4, function: 2, pointer: 4, fundamental: 2 } as const;
/** One with several bases has so many words more for each, and says here how many there are. */
const [BASE_WORDS, BASES_AT] = [2, 3];

/** Records of types: each begins with the address of its kind's virtual functions, and has the type's name. */
function typesIn(memory: Memory): ReadonlyMap<number, Extent> {
  const types = new Map<number, Extent>();
  const text = Buffer.from(memory.bytes.buffer);
  for (const [kind, words] of Object.entries(TYPE_KINDS)) {
    const own = `__${kind}_type_info`;
    const name = text.indexOf(`N10__cxxabiv1${own.length}${own}E\0`);
    const kinds = memory
      .holdersOf(name)
      .flatMap((at) => memory.holdersOf(at - WORD))
      .flatMap((at) => memory.holdersOf(at + WORD));
    for (const start of name < 0 ? [] : kinds) {
      if (!endsText(memory, memory.word(start + WORD))) continue;
      const bases = kind === 'vmi_class' ? memory.word(start + BASES_AT * WORD) : 0;
      types.set(start, [start, start + WORD * (words + BASE_WORDS * bases)]);
    }
  }
  return types;
}

/** How far an object may begin before the part of it that a table of virtual functions is for, bytes. Assumed. */
const FARTHEST_PART = 4096;

/**
 * Tables of virtual functions: how far the part is from the object's beginning, 0 or less; the record of its type; and
 * pointers to functions, as far as nothing else can begin.
 */
function virtualTablesIn(
  memory: Memory,
  types: ReadonlyMap<number, Extent>,
  { everNamed, tableSize }: { everNamed: ReadonlySet<number>; tableSize: number },
): readonly Extent[] {
  const inTypes = new Set([...types.values()].flatMap(([start, end]) => wordsIn(start, end)));
  const mayBegin = (at: number): boolean =>
    inTypes.has(at) || everNamed.has(at) || memory.wasNamed([at, at + 1]);
  return [...types.keys()].flatMap((type) =>
    memory.holdersOf(type).flatMap((at): Extent[] => {
      const distance = memory.word(at - WORD) | 0;
      if (inTypes.has(at) || distance > 0 || distance < -FARTHEST_PART) return [];
      const functions = at + WORD;
      const isFunction = (word: number): boolean => word > 0 && word < tableSize;
      let end = functions;
      while (isFunction(memory.word(end)) && (end === functions || !mayBegin(end))) end += WORD;
      return end > functions ? [[at - WORD, end]] : [];
    }),
  );
}

const wordsIn = (start: number, end: number): readonly number[] =>
  Array.from({ length: (end - start) / WORD }, (_, i) => start + WORD * i);

/** Tables of virtual functions and records of types that nothing names. The others keep their names: MediaPipe reads some. */
function clearTypes(
  memory: Memory,
  {
    isNamed,
    ...code
  }: { isNamed: (extent: Extent) => boolean; everNamed: ReadonlySet<number>; tableSize: number },
): void {
  const types = typesIn(memory);
  let left = [...virtualTablesIn(memory, types, code), ...types.values()];
  for (let before = Infinity; left.length < before;) {
    before = left.length;
    left = left.filter((extent) => {
      if (isNamed(extent)) return true;
      memory.clear(extent);
      return false;
    });
  }
}

/** Fewer words may be something else. */
const SHORTEST_TABLE = 8 * WORD;

/** Tables of pointers to texts, empty ones among them, that the whole module's code names and that of this one does not. */
function clearTextTables(
  memory: Memory,
  isNamed: (extent: Extent) => boolean,
  everNamed: ReadonlySet<number>,
): void {
  const pointsAtText = (at: number): boolean => {
    const address = memory.word(at);
    return address >= memory.start && endsText(memory, address);
  };
  for (let start = 0, end = 0; start < memory.bytes.length; start = end + WORD) {
    for (end = start; pointsAtText(end);) end += WORD;
    const isTable = end - start >= SHORTEST_TABLE && some([start, end], (at) => everNamed.has(at));
    if (isTable && !isNamed([start, end])) memory.clear([start, end]);
  }
}

/** Shorter ones are not worth it, and may be something else, bytes. */
const SHORTEST_TEXT = 8;

const isLetter = (byte = 0): boolean => (byte >= 0x20 && byte < 0x7f) || [0x09, 0x0a, 0x0d].includes(byte);

/** True where the letters from there on, if any, end with a zero: one text may be the end of another. */
function endsText({ bytes }: Memory, address: number): boolean {
  let end = address;
  while (isLetter(bytes[end])) end++;
  return bytes[end] === 0;
}

/**
 * Texts: messages, shaders, names of operations. One ends with a zero, and something in the whole module points at it,
 * so that no part of a table is taken for one.
 */
function clearTexts(
  memory: Memory,
  isNamed: (extent: Extent) => boolean,
  wasNamed: (extent: Extent) => boolean,
): void {
  for (let from = 0, end = 0; end < memory.bytes.length; end++) {
    if (isLetter(memory.bytes[end])) continue;
    const text: Extent = [from, end + 1];
    const isWhole = memory.bytes[end] === 0 && end - from >= SHORTEST_TEXT;
    if (isWhole && wasNamed(text) && !isNamed(text)) memory.clear([from, end]);
    from = end + 1;
  }
}
