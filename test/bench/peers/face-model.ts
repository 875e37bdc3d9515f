import { Builder, ByteBuffer } from 'flatbuffers';
import { unzipSync, zipSync } from 'fflate';

/*
 * The project's face bundle for a peer that runs it with the delegate GPU. The rebuilt landmark model ends in a GATHER,
 * which that delegate does not know; here a SLICE and a CONCATENATION, which it does, take its place. As in
 * scripts/tflite.ts a new root is written in front of the untouched bytes, because references in a FlatBuffer only
 * point forward. Field numbers are those of TensorFlow Lite's `schema.fbs`.
 */

const LANDMARKS = 'face_landmarks_detector.tflite';
/** Numbers of fields: of the model, of a subgraph, of an operator. */
const MODEL = { version: 0, operatorCodes: 1, subgraphs: 2, buffers: 4, metadata: 6 };
const SUBGRAPH = { tensors: 0, inputs: 1, outputs: 2, operators: 3 };
const OPERATOR = { inputs: 1, outputs: 2 };
const CONCATENATION = { code: 2, options: 10 };
const SLICE = { code: 65, options: 48 };
const FLOAT32 = 0;
const INT32 = 2;

/** Coordinates that Tasks wants beyond those of the landmark model: ten points of three. */
const WANTED = 3 * 10;

/** The bundle with a landmark model that the delegate GPU can run; the ten last points repeat the ten first. */
export function faceModelForGpu(bundle: Uint8Array): Uint8Array {
  const files = unzipSync(bundle);
  const landmarks = files[LANDMARKS];
  if (!landmarks) throw new Error(`the face bundle lacks ${LANDMARKS}`);
  // Stored, because Tasks maps the members in place.
  return zipSync({ ...files, [LANDMARKS]: withoutGather(landmarks) }, { level: 0 });
}

/** Reads tables and vectors of the old bytes, by absolute position. */
class OldBytes {
  readonly #buffer: ByteBuffer;

  constructor(bytes: Uint8Array) {
    this.#buffer = new ByteBuffer(bytes);
  }

  get root(): number {
    return this.#buffer.readInt32(0);
  }

  int(table: number, field: number): number {
    const offset = this.#buffer.__offset(table, 4 + 2 * field);
    return offset === 0 ? 0 : this.#buffer.readInt32(table + offset);
  }

  ints(table: number, field: number): number[] {
    return this.#places(table, field).map((place) => this.#buffer.readInt32(place));
  }

  tables(table: number, field: number): number[] {
    return this.#places(table, field).map((place) => this.#buffer.__indirect(place));
  }

  #places(table: number, field: number): number[] {
    const offset = this.#buffer.__offset(table, 4 + 2 * field);
    if (offset === 0) return [];
    const start = this.#buffer.__vector(table + offset);
    const length = this.#buffer.readInt32(start - 4);
    return Array.from({ length }, (_, index) => start + 4 * index);
  }
}

function withoutGather(model: Uint8Array): Uint8Array {
  const old = new OldBytes(model);
  const [subgraph] = old.tables(old.root, MODEL.subgraphs);
  const operators = subgraph === undefined ? [] : old.tables(subgraph, SUBGRAPH.operators);
  const gather = operators.pop();
  if (subgraph === undefined || gather === undefined) throw new Error('the landmark model has no operators');
  const [given] = old.ints(gather, OPERATOR.inputs);
  const [joined] = old.ints(gather, OPERATOR.outputs);
  if (given === undefined || joined === undefined) throw new Error('the landmark model ends in no GATHER');

  const builder = new Builder(4096);
  // The builder counts places from the end of what it writes, where the old bytes will begin.
  const kept = (table: number, field: number): number[] =>
    old.tables(table, field).map((position) => -position);
  const buffers = kept(old.root, MODEL.buffers);
  const codes = kept(old.root, MODEL.operatorCodes);
  const metadata = kept(old.root, MODEL.metadata);
  const tensors = kept(subgraph, SUBGRAPH.tensors);

  const addConstant = (name: string, values: readonly number[]): number => {
    builder.startVector(1, 4 * values.length, 16);
    for (const byte of new Uint8Array(Int32Array.from(values).buffer).toReversed()) builder.addInt8(byte);
    const data = builder.endVector();
    const buffer = buffers.push(table(builder, [{ offset: data }])) - 1;
    return addTensor(name, [values.length], INT32, buffer);
  };
  const addTensor = (name: string, shape: readonly number[], type: number, buffer: number): number => {
    const nameAt = builder.createString(name);
    const shapeAt = ints(builder, shape);
    const fields = [{ offset: shapeAt }, { int8: type }, { int32: buffer }, { offset: nameAt }];
    return tensors.push(table(builder, fields)) - 1;
  };
  const addOperator = (
    { code, options }: typeof SLICE,
    inputs: readonly number[],
    output: number,
    optionFields: readonly Field[],
  ): number => {
    const index = codes.push(table(builder, [{ int8: code }, {}, { int32: 1 }, { int32: code }])) - 1;
    const inputsAt = ints(builder, inputs);
    const outputsAt = ints(builder, [output]);
    const optionsAt = table(builder, optionFields);
    const fields = [
      { int32: index },
      { offset: inputsAt },
      { offset: outputsAt },
      { int8: options },
      { offset: optionsAt },
    ];
    return table(builder, fields);
  };

  const begin = addConstant('slice_begin', [0, 0, 0, 0]);
  const size = addConstant('slice_size', [1, 1, 1, WANTED]);
  const slice = addTensor('landmarks_first', [1, 1, 1, WANTED], FLOAT32, 0);
  const newOperators = [
    ...operators.map((position) => -position),
    addOperator(SLICE, [given, begin, size], slice, []),
    addOperator(CONCATENATION, [given, slice], joined, [{ int32: 3 }]),
  ];

  const subgraphFields = [
    { offset: offsets(builder, tensors) },
    { offset: ints(builder, old.ints(subgraph, SUBGRAPH.inputs)) },
    { offset: ints(builder, old.ints(subgraph, SUBGRAPH.outputs)) },
    { offset: offsets(builder, newOperators) },
  ];
  const subgraphs = offsets(builder, [table(builder, subgraphFields)]);
  const codesAt = offsets(builder, codes);
  const buffersAt = offsets(builder, buffers);
  const metadataAt = offsets(builder, metadata);
  const root = table(builder, [
    { int32: old.int(old.root, MODEL.version) },
    { offset: codesAt },
    { offset: subgraphs },
    {},
    { offset: buffersAt },
    {},
    { offset: metadataAt },
  ]);
  // The old bytes keep the alignment that they had from their own start.
  builder.prep(16, 8);
  builder.finish(root, 'TFL3');
  return Buffer.concat([builder.asUint8Array(), model]);
}

/** A field of a new table; an empty one is left out. */
interface Field {
  readonly int8?: number;
  readonly int32?: number;
  readonly offset?: number;
}

function table(builder: Builder, fields: readonly Field[]): number {
  builder.startObject(fields.length);
  for (const [number, { int8, int32, offset }] of fields.entries()) {
    if (int8 !== undefined) builder.addFieldInt8(number, int8, 0);
    if (int32 !== undefined) builder.addFieldInt32(number, int32, 0);
    if (offset !== undefined) builder.addFieldOffset(number, offset, 0);
  }
  return builder.endObject();
}

function ints(builder: Builder, values: readonly number[]): number {
  builder.startVector(4, values.length, 4);
  for (const value of values.toReversed()) builder.addInt32(value);
  return builder.endVector();
}

function offsets(builder: Builder, places: readonly number[]): number {
  builder.startVector(4, places.length, 4);
  for (const place of places.toReversed()) builder.addOffset(place);
  return builder.endVector();
}
