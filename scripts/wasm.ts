/*
 * A WebAssembly module with fewer functions: the bodies that are not on a list are replaced, everything else stays as
 * it is, so that types, imports, table, data and every index go on to fit. What nothing leads to then is left out.
 */

/** The list of the functions that the analysis calls, for the one version of the runtime; `npm run profile` makes it. */
export const KEPT_FUNCTIONS = new URL('kept-functions.txt', import.meta.url);

/** Sections by their number: the function table, the functions' bodies, and what is in memory at the beginning. */
export const SECTION = { table: 4, code: 10, data: 11 } as const;

/** A body of three bytes: no locals, `unreachable`, `end`. */
const TRAP = Uint8Array.of(3, 0, 0x00, 0x0b);

const HEADER_BYTES = 8;

/** Reads unsigned LEB128 numbers one after the other. */
export class Reader {
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
export function* sectionsOf(module: Uint8Array): Generator<Section> {
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
    if (number === SECTION.code) {
      const bodies = keptBodies(new Reader(module, body), kept);
      const size = bodies.reduce((sum, { length: bytes }) => sum + bytes, 0);
      parts.push(Uint8Array.of(SECTION.code), encoded(size), ...bodies);
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
export const loadBinaryen = async () => (await import('binaryen')).default;

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

/**
 * XNNPACK tells x86 from ARM by the sign of a NaN (0/0) and picks its kernels by it. With the comparison's constant and
 * operator as after the arrow, either machine takes the other one's way. It stands in the runtime once.
 */
const NAN_TEST = { from: [0x93, 0xbc, 0x41, 0x1f, 0x76], to: [0x93, 0xbc, 0x41, 0x00, 0x71] };

/**
 * A runtime that calculates as on the other kind of machine: on x86, as phones do.
 * @throws Error where the test for the machine is not in it once
 */
export function asOtherMachine(module: Uint8Array): Uint8Array {
  const changed = Buffer.from(module);
  const at = changed.indexOf(Buffer.from(NAN_TEST.from));
  if (at < 0 || changed.includes(Buffer.from(NAN_TEST.from), at + 1))
    throw new Error('The test for the machine is not in the runtime once: look for it anew.');
  Buffer.from(NAN_TEST.to).copy(changed, at);
  return changed;
}

/** Reads a list of kept functions: one index a line. */
export function parseKept(text: string): ReadonlySet<number> {
  const lines = text.split('\n').filter((line) => line !== '');
  const indices = lines.map(Number);
  if (lines.length === 0 || !indices.every((index) => Number.isInteger(index) && index >= 0))
    throw new Error('The list of kept functions has a line that is no index.');
  return new Set(indices);
}
