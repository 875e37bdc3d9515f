import { Builder, ByteBuffer } from 'flatbuffers';

/*
 * Mends the models of MediaPipe's older packages for MediaPipe Tasks, and rounds their weights, which makes them a third
 * smaller once they are compressed. A TFLite file is a FlatBuffer, whose references only point forward: a new root, and
 * the few tables that differ, are written in front of the old bytes and refer into them. Field numbers are those of
 * TensorFlow Lite's `schema.fbs` and `metadata_schema.fbs`.
 */

const MODEL = {
  version: 0,
  operatorCodes: 1,
  subgraphs: 2,
  description: 3,
  buffers: 4,
  metadataBuffer: 5,
  metadata: 6,
};
const SUBGRAPH = { tensors: 0, inputs: 1, outputs: 2, operators: 3, name: 4 };
const TENSOR = { shape: 0, type: 1, buffer: 2, name: 3 };
const BUFFER = { data: 0 };
const FLOAT16 = 1;
const INT32 = 2;
const GATHER = 36;
const GATHER_OPTIONS = 23;

/** Longest scalar alignment of the schema: buffers are aligned to 16 bytes. */
const ALIGNMENT = 16;

/** A table in the old bytes: absolute positions of its fields, 0 where a field is absent. */
interface Table {
  field(number: number): number;
}

function table(buffer: ByteBuffer, position: number): Table {
  return {
    field: (number) => {
      const offset = buffer.__offset(position, 4 + 2 * number);
      return offset === 0 ? 0 : position + offset;
    },
  };
}

/** Absolute positions of the tables in a vector of tables. */
function tablesOf(buffer: ByteBuffer, field: number): number[] {
  if (field === 0) return [];
  const start = buffer.__vector(field);
  return Array.from({ length: buffer.readInt32(start - 4) }, (_, i) => buffer.__indirect(start + 4 * i));
}

function intsOf(buffer: ByteBuffer, field: number): number[] {
  if (field === 0) return [];
  const start = buffer.__vector(field);
  return Array.from({ length: buffer.readInt32(start - 4) }, (_, i) => buffer.readInt32(start + 4 * i));
}

/**
 * A place that a new table may refer to, as the builder counts: bytes before the end of what it has written.
 * The old bytes follow that end, so their places are negative.
 */
type Place = number;
const inOldBytes = (position: number): Place => -position;

function vectorOfPlaces(builder: Builder, places: readonly Place[]): Place {
  builder.startVector(4, places.length, 4);
  for (const place of [...places].reverse()) builder.addOffset(place);
  return builder.endVector();
}

function vectorOfInts(builder: Builder, values: readonly number[]): Place {
  builder.startVector(4, values.length, 4);
  for (const value of [...values].reverse()) builder.addInt32(value);
  return builder.endVector();
}

function vectorOfFloats(builder: Builder, values: readonly number[]): Place {
  builder.startVector(4, values.length, 4);
  for (const value of [...values].reverse()) builder.addFloat32(value);
  return builder.endVector();
}

function bufferTable(builder: Builder, bytes: Uint8Array): Place {
  builder.startVector(1, bytes.length, ALIGNMENT);
  for (const byte of bytes.toReversed()) builder.addInt8(byte);
  const data = builder.endVector();
  builder.startObject(1);
  builder.addFieldOffset(0, data, 0);
  return builder.endObject();
}

/** Bits of the fraction of a float16, and of it those that the largest weight of a channel keeps. */
const FRACTION_BITS = 10;
const KEPT_BITS = 7;

/** A float16, sign apart: how many of its last places, and where the last place stands. */
function partsOf(half: number): { readonly count: number; readonly exponent: number } {
  const exponent = (half >> FRACTION_BITS) & 0x1f;
  const fraction = half & 0x3ff;
  return exponent === 0
    ? { count: fraction, exponent: 1 }
    : { count: fraction + (1 << FRACTION_BITS), exponent };
}

/** The float16 of so many last places; fewer than twice as many as a fraction has. */
function halfOf(count: number, exponent: number): number {
  let [left, place] = [count, exponent];
  for (; left > 0 && left < 1 << FRACTION_BITS && place > 1; place--) left *= 2;
  return left < 1 << FRACTION_BITS ? left : (place << FRACTION_BITS) + left - (1 << FRACTION_BITS);
}

/**
 * Rounds weights to multiples of one power of two: places behind the largest one's last say next to nothing, and are
 * what does not compress.
 * @param weights float16, as their bits; changed in place
 * @param channel indices of those that are one channel's
 */
export function roundWeights(weights: DataView, channel: readonly number[]): void {
  const bits = channel.map((at) => weights.getUint16(2 * at, true));
  const largest = Math.max(...bits.map((half) => partsOf(half).exponent));
  channel.forEach((at, i) => {
    const half = bits[i] ?? 0;
    const { count, exponent } = partsOf(half);
    const dropped = FRACTION_BITS - KEPT_BITS + largest - exponent;
    const rounded = Math.round(count / 2 ** dropped) * 2 ** dropped;
    weights.setUint16(2 * at, rounded === 0 ? 0 : (half & 0x8000) | halfOf(rounded, exponent), true);
  });
}

/** A model with rounded weights: of a convolution (channels first) or a depthwise one (last). Biases stay. */
export function withRoundWeights(model: Uint8Array): Uint8Array {
  const copy = Uint8Array.from(model);
  const buffer = new ByteBuffer(copy);
  const root = table(buffer, buffer.readInt32(0));
  const buffers = tablesOf(buffer, root.field(MODEL.buffers));
  for (const subgraph of tablesOf(buffer, root.field(MODEL.subgraphs))) {
    for (const position of tablesOf(buffer, table(buffer, subgraph).field(SUBGRAPH.tensors))) {
      const tensor = table(buffer, position);
      const [type, place] = [tensor.field(TENSOR.type), tensor.field(TENSOR.buffer)];
      const shape = intsOf(buffer, tensor.field(TENSOR.shape));
      const holder = buffers[place === 0 ? 0 : buffer.readInt32(place)];
      const data = holder === undefined ? 0 : table(buffer, holder).field(BUFFER.data);
      if (type === 0 || buffer.readInt8(type) !== FLOAT16 || shape.length !== 4 || data === 0) continue;
      const start = buffer.__vector(data);
      const count = buffer.readInt32(start - 4) / 2;
      const [first = 1, , , last = 1] = shape;
      const channels = first === 1 ? last : first;
      const channelOf = (index: number): number =>
        first === 1 ? index % channels : Math.floor((index * channels) / count);
      const members = Array.from({ length: channels }, (): number[] => []);
      for (let index = 0; index < count; index++) members[channelOf(index)]?.push(index);
      const weights = new DataView(copy.buffer, start, 2 * count);
      for (const channel of members) roundWeights(weights, channel);
    }
  }
  return copy;
}

/** How the pixels (0..255) become the model's input: (value - mean) / std. */
interface Normalization {
  readonly mean: number;
  readonly std: number;
}

/** `TFLITE_METADATA` with nothing but what Tasks demands: NormalizationOptions of the one input. */
function metadataOf({ mean, std }: Normalization): Uint8Array {
  const builder = new Builder(256);
  const means = vectorOfFloats(builder, [mean]);
  const stds = vectorOfFloats(builder, [std]);
  builder.startObject(2);
  builder.addFieldOffset(0, means, 0);
  builder.addFieldOffset(1, stds, 0);
  const options = builder.endObject();

  const NORMALIZATION = 1;
  builder.startObject(2);
  builder.addFieldInt8(0, NORMALIZATION, 0);
  builder.addFieldOffset(1, options, 0);
  const units = vectorOfPlaces(builder, [builder.endObject()]);

  builder.startObject(7);
  builder.addFieldOffset(4, units, 0);
  const inputs = vectorOfPlaces(builder, [builder.endObject()]);

  builder.startObject(7);
  builder.addFieldOffset(2, inputs, 0);
  const subgraphs = vectorOfPlaces(builder, [builder.endObject()]);

  builder.startObject(8);
  builder.addFieldOffset(3, subgraphs, 0);
  builder.finish(builder.endObject(), 'M001');
  return builder.asUint8Array();
}

/** What a mended model has beyond the old one. */
interface Change {
  readonly normalization: Normalization;
  /** Constant int32 list by which the last axis of one output is gathered anew. */
  readonly gather?: {
    readonly from: number;
    readonly indices: readonly number[];
    readonly thenOutputs: readonly number[];
  };
}

function withNewRoot(old: Uint8Array, change: Change): Uint8Array {
  const buffer = new ByteBuffer(old);
  const root = table(buffer, buffer.readInt32(0));
  const builder = new Builder(16_384);

  const buffers = tablesOf(buffer, root.field(MODEL.buffers)).map(inOldBytes);
  const addBuffer = (bytes: Uint8Array): number => buffers.push(bufferTable(builder, bytes)) - 1;
  const operatorCodes = tablesOf(buffer, root.field(MODEL.operatorCodes)).map(inOldBytes);
  const subgraphs = tablesOf(buffer, root.field(MODEL.subgraphs));
  const metadata = tablesOf(buffer, root.field(MODEL.metadata)).map(inOldBytes);

  let newSubgraphs = subgraphs.map(inOldBytes);
  if (change.gather) {
    const [main] = subgraphs;
    if (main === undefined) throw new Error('The model has no subgraph.');
    builder.startObject(4);
    builder.addFieldInt8(0, GATHER, 0);
    builder.addFieldInt32(2, 1, 1);
    builder.addFieldInt32(3, GATHER, 0);
    const code = operatorCodes.push(builder.endObject()) - 1;
    const indices = addBuffer(new Uint8Array(Int32Array.from(change.gather.indices).buffer));
    newSubgraphs = [subgraphWithGather(builder, buffer, main, { ...change.gather, code, buffer: indices })];
  }

  const metadataBuffer = addBuffer(metadataOf(change.normalization));
  const metadataName = builder.createString('TFLITE_METADATA');
  builder.startObject(2);
  builder.addFieldOffset(0, metadataName, 0);
  builder.addFieldInt32(1, metadataBuffer, 0);
  metadata.push(builder.endObject());

  const vectors = {
    operatorCodes: vectorOfPlaces(builder, operatorCodes),
    subgraphs: vectorOfPlaces(builder, newSubgraphs),
    buffers: vectorOfPlaces(builder, buffers),
    metadata: vectorOfPlaces(builder, metadata),
  };
  const version = root.field(MODEL.version);
  builder.startObject(7);
  builder.addFieldInt32(MODEL.version, version === 0 ? 0 : buffer.readInt32(version), 0);
  builder.addFieldOffset(MODEL.operatorCodes, vectors.operatorCodes, 0);
  builder.addFieldOffset(MODEL.subgraphs, vectors.subgraphs, 0);
  builder.addFieldOffset(MODEL.buffers, vectors.buffers, 0);
  builder.addFieldOffset(MODEL.metadata, vectors.metadata, 0);
  const newRoot = builder.endObject();
  // The old bytes were aligned from their own start, so what stands in front of them must keep that.
  builder.prep(ALIGNMENT, 8);
  builder.finish(newRoot, 'TFL3');

  const front = builder.asUint8Array();
  if (front.length % ALIGNMENT !== 0) throw new Error('The new root breaks the alignment of the model.');
  const mended = new Uint8Array(front.length + old.length);
  mended.set(front);
  mended.set(old, front.length);
  return mended;
}

function subgraphWithGather(
  builder: Builder,
  old: ByteBuffer,
  position: number,
  gather: NonNullable<Change['gather']> & { readonly code: number; readonly buffer: number },
): Place {
  const subgraph = table(old, position);
  const tensorPositions = tablesOf(old, subgraph.field(SUBGRAPH.tensors));
  const tensors = tensorPositions.map(inOldBytes);
  const outputs = intsOf(old, subgraph.field(SUBGRAPH.outputs));
  const source = outputs[gather.from];
  const sourcePosition = source === undefined ? undefined : tensorPositions[source];
  if (source === undefined || sourcePosition === undefined)
    throw new Error('The model lacks the landmark output.');
  const shape = intsOf(old, table(old, sourcePosition).field(TENSOR.shape));

  const addTensor = (name: string, dimensions: readonly number[], type: number, buffer: number): number => {
    const nameAt = builder.createString(name);
    const shapeAt = vectorOfInts(builder, dimensions);
    builder.startObject(8);
    builder.addFieldOffset(TENSOR.shape, shapeAt, 0);
    builder.addFieldInt8(TENSOR.type, type, 0);
    builder.addFieldInt32(TENSOR.buffer, buffer, 0);
    builder.addFieldOffset(TENSOR.name, nameAt, 0);
    return tensors.push(builder.endObject()) - 1;
  };
  const FLOAT32 = 0;
  // Buffer 0 is by convention the empty one: a tensor that is computed, not stored.
  const indexTensor = addTensor('gather_indices', [gather.indices.length], INT32, gather.buffer);
  const gathered = addTensor('landmarks_478', [...shape.slice(0, -1), gather.indices.length], FLOAT32, 0);

  const inputsAt = vectorOfInts(builder, [source, indexTensor]);
  const outputsAt = vectorOfInts(builder, [gathered]);
  builder.startObject(2);
  builder.addFieldInt32(0, shape.length - 1, 0);
  const optionsAt = builder.endObject();
  builder.startObject(5);
  builder.addFieldInt32(0, gather.code, 0);
  builder.addFieldOffset(1, inputsAt, 0);
  builder.addFieldOffset(2, outputsAt, 0);
  builder.addFieldInt8(3, GATHER_OPTIONS, 0);
  builder.addFieldOffset(4, optionsAt, 0);
  const operators = [
    ...tablesOf(old, subgraph.field(SUBGRAPH.operators)).map(inOldBytes),
    builder.endObject(),
  ];

  const otherOutputs = gather.thenOutputs.map((index) => {
    const output = outputs[index];
    if (output === undefined) throw new Error('The model lacks the presence output.');
    return output;
  });
  const parts = {
    tensors: vectorOfPlaces(builder, tensors),
    inputs: vectorOfInts(builder, intsOf(old, subgraph.field(SUBGRAPH.inputs))),
    outputs: vectorOfInts(builder, [gathered, ...otherOutputs]),
    operators: vectorOfPlaces(builder, operators),
  };
  builder.startObject(5);
  builder.addFieldOffset(SUBGRAPH.tensors, parts.tensors, 0);
  builder.addFieldOffset(SUBGRAPH.inputs, parts.inputs, 0);
  builder.addFieldOffset(SUBGRAPH.outputs, parts.outputs, 0);
  builder.addFieldOffset(SUBGRAPH.operators, parts.operators, 0);
  return builder.endObject();
}

/** The detector takes pixels as -1..1. */
export function detectorForTasks(model: Uint8Array): Uint8Array {
  return withNewRoot(model, { normalization: { mean: 127.5, std: 127.5 } });
}

/** The person mask takes pixels as 0..1. */
export function personForTasks(model: Uint8Array): Uint8Array {
  return withNewRoot(model, { normalization: { mean: 0, std: 255 } });
}

const POINTS = 468;
/**
 * Tasks reads ten iris points after the 468. The plain model has none; points of the eye lids stand in, because
 * the region of the next frame is the box round all points, and zeros would drag it into a corner.
 */
const LID_POINTS_FOR_IRIS = [159, 158, 160, 145, 144, 386, 385, 387, 374, 373];

/** The landmark model takes pixels as 0..1; its outputs become landmarks (478 x 3) and presence, in this order. */
export function landmarksForTasks(model: Uint8Array): Uint8Array {
  const coordinates = (point: number): number[] => [3 * point, 3 * point + 1, 3 * point + 2];
  const indices = [...Array(POINTS).keys(), ...LID_POINTS_FOR_IRIS].flatMap(coordinates);
  return withNewRoot(model, {
    normalization: { mean: 0, std: 255 },
    gather: { from: 0, indices, thenOutputs: [1] },
  });
}
