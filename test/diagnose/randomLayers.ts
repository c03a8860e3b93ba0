/** Random layers of every kind, small, and what a comparison says of values that were not computed by them. */
import { compare } from '../../src/compare/compare.js';
import { referenceFor } from '../../src/kernels/reference.js';
import type { ArrayFile, ArraySource, NumericArray } from '../../src/nouns/array.js';
import type { Capture } from '../../src/nouns/capture.js';
import type { Model } from '../../src/nouns/model.js';
import type { DiagnosisReport, Report } from '../../src/nouns/report.js';
import { ReplaySession } from '../../src/replay/session.js';
import { sizeOf } from '../../src/tensor/shape.js';
import { validateCapture } from '../../src/validate/capture.js';
import { validateModel } from '../../src/validate/model.js';
import type { Random } from './world.js';

export const OPS = [
  'linear',
  'conv2d',
  'linear_dynamic',
  'relu',
  'quantize',
  'dequantize',
  'requantize',
  'add',
  'avg_pool2d',
] as const;
export type Op = (typeof OPS)[number];
type Raw = Readonly<Record<string, unknown>>;
type Side = 'capture' | 'candidate';

export interface RandomLayer {
  readonly op: Op;
  readonly raw: Raw;
  readonly samples: number;
  /** By name, with the shape of one sample. */
  readonly inputs: Readonly<Record<string, readonly [data: NumericArray, shape: readonly number[]]>>;
  /** Of one sample. */
  readonly shape: readonly number[];
}

const code = (v: number) => Math.min(255, Math.max(0, Math.round(v)));
const ARRAYS: Readonly<Record<string, typeof Uint8Array | typeof Int8Array | typeof Float32Array>> = {
  uint8: Uint8Array,
  int8: Int8Array,
  float32: Float32Array,
};
const CLAMPS: Readonly<Record<string, readonly [number, number]>> = { uint8: [0, 255], int8: [-128, 127] };

/** Codes of a middling spread, in the range of their dtype. */
function codes(random: Random, { dtype, zero_point }: Params, count: number): NumericArray {
  const shift = dtype === 'int8' ? 128 : 0;
  const data = Uint8Array.from({ length: count }, () => code(zero_point + shift + 45 * random.normal()));
  return dtype === 'int8' ? Int8Array.from(data, (v) => v - 128) : data;
}

interface Params {
  readonly dtype: string;
  readonly scale: number;
  readonly zero_point: number;
}

function params(random: Random, dtype: string, scale: number): Params {
  const zero_point = random.uniform() < 0.2 ? 0 : random.integer(40, 200) - (dtype === 'int8' ? 128 : 0);
  return { dtype, scale: Math.fround(scale * (0.5 + random.uniform())), zero_point };
}

export function randomLayer(random: Random, op: Op, samples = random.integer(1, 48)): RandomLayer {
  const dtype = random.uniform() < 0.7 ? 'uint8' : 'int8';
  if (op === 'linear' || op === 'linear_dynamic') return linear(random, op, samples, dtype);
  if (op === 'conv2d') return convolution(random, Math.min(samples, 8), dtype);
  return pointwise(random, op, samples, dtype);
}

function weights(random: Random, outFeatures: number, inFeatures: number) {
  const perChannel = random.uniform() < 0.7;
  const scale = () => Math.fround(0.002 + 0.004 * random.uniform());
  return {
    weight_scale: perChannel ? Array.from({ length: outFeatures }, scale) : scale(),
    bias: random.uniform() < 0.85 ? Array.from({ length: outFeatures }, () => Math.fround(random.normal())) : null,
    bias_dtype: 'float32',
    activation: random.uniform() < 0.3 ? 'relu' : 'none',
    codes: Array.from({ length: outFeatures * inFeatures }, () => random.integer(-127, 127)),
  };
}

function linear(random: Random, op: Op, samples: number, dtype: string): RandomLayer {
  const [inFeatures, outFeatures] = [random.integer(2, 48), random.integer(1, 24)];
  const { codes: w, ...numbers } = weights(random, outFeatures, inFeatures);
  const weight = Array.from({ length: outFeatures }, (_, n) => w.slice(n * inFeatures, (n + 1) * inFeatures));
  const own = { name: 'y', op, input: 'x', weight, ...numbers };
  if (op === 'linear_dynamic') {
    const x = Float32Array.from({ length: samples * inFeatures }, () => random.normal() + 0.2);
    const layer = { ...own, activation: 'none', reduce_range: random.uniform() < 0.5, output: { dtype: 'float32' } };
    return {
      op,
      raw: modelOf([{ name: 'x', dtype: 'float32' }], layer),
      samples,
      ...shaped(x, inFeatures, outFeatures),
    };
  }
  const input = params(random, dtype, 0.02);
  const output = params(random, dtype, 0.02 * 0.004 * 70 * 45 * Math.sqrt(inFeatures) * 0.02);
  const x = codes(random, input, samples * inFeatures);
  return {
    op,
    raw: modelOf([{ name: 'x', ...input }], { ...own, output }),
    samples,
    ...shaped(x, inFeatures, outFeatures),
  };
}

function shaped(x: NumericArray, inFeatures: number, outFeatures: number) {
  return { inputs: { x: [x, [inFeatures]] as const }, shape: [outFeatures] };
}

function convolution(random: Random, samples: number, dtype: string): RandomLayer {
  const groups = [1, 1, 2, 4][random.integer(0, 3)];
  const [channels, outputs] = [4, groups * random.integer(1, 3)];
  const [height, width, kernel, pad] = [
    random.integer(3, 7),
    random.integer(3, 7),
    random.integer(1, 3),
    random.integer(0, 1),
  ];
  const inputs = channels / groups;
  const { codes: w, ...numbers } = weights(random, outputs, inputs * kernel * kernel);
  let at = 0;
  const row = () => Array.from({ length: kernel }, () => w[at++]);
  const plane = () => Array.from({ length: kernel }, row);
  const weight = Array.from({ length: outputs }, () => Array.from({ length: inputs }, plane));
  const input = params(random, dtype, 0.02);
  const output = params(random, dtype, 0.02 * 0.004 * 70 * 45 * Math.sqrt(inputs * kernel * kernel) * 0.02);
  const ends = [pad, pad] as const;
  const layer = { name: 'y', op: 'conv2d', input: 'x', weight, ...numbers, padding: [ends, ends], groups, output };
  const shape = [channels, height, width];
  const raw = { ...modelOf([{ name: 'x', ...input, shape }], layer), layout: 'NCHW' };
  const side = (size: number) => size + 2 * pad - kernel + 1;
  const x = codes(random, input, samples * sizeOf(shape));
  return { op: 'conv2d', raw, samples, inputs: { x: [x, shape] }, shape: [outputs, side(height), side(width)] };
}

function pointwise(random: Random, op: Op, samples: number, dtype: string): RandomLayer {
  const isImage = op === 'avg_pool2d';
  const shape = isImage ? [random.integer(1, 4), 6, 6] : [random.integer(2, 40)];
  const [a, b] = [params(random, dtype, 0.03), params(random, dtype, 0.03)];
  const output =
    op === 'dequantize' ? { dtype: 'float32' } : op === 'relu' || isImage ? a : params(random, dtype, 0.04);
  const float = op === 'quantize';
  const values = (own: Params) =>
    float
      ? Float32Array.from({ length: samples * sizeOf(shape) }, () => 2 * random.normal())
      : codes(random, own, samples * sizeOf(shape));
  const two = op === 'add';
  const input = two ? ['x', 'z'] : 'x';
  const fields = isImage ? { kernel_size: 2, stride: 2, padding: random.integer(0, 1) } : {};
  const layer = { name: 'y', op, input, ...(op !== 'relu' && !isImage && { output }), ...fields };
  const declared = [
    { name: 'x', ...(float ? { dtype: 'float32' } : a), shape },
    ...(two ? [{ name: 'z', ...b, shape }] : []),
  ];
  const side = 3 + Number('padding' in fields && fields.padding === 1);
  return {
    op,
    raw: { ...modelOf(declared, layer), ...(isImage && { layout: 'NCHW' }) },
    samples,
    inputs: { x: [values(a), shape], ...(two && { z: [values(b), shape] as const }) },
    shape: isImage ? [shape[0], side, side] : shape,
  };
}

function modelOf(inputs: readonly object[], layer: object): Raw {
  return { format: 'qdiff-model', version: 1, inputs, layers: [layer] };
}

// ---------------------------------------------------------------- judged

export function validated({ raw }: RandomLayer, producer: Model['producer'], change: object = {}): Promise<Model> {
  const { framework, engine, kernel, flow } = producer;
  const [layer] = raw.layers as object[];
  const own = { ...raw, producer: { framework, engine, kernel, flow }, layers: [{ ...layer, ...change }] };
  return validateModel(JSON.parse(JSON.stringify(own)), 'model.json', 'none');
}

function fileOf(samples: number, values: RandomLayer['inputs']): ArrayFile {
  const arrays = Object.entries(values).map(([key, [data, dims]]): [string, ArraySource] => {
    const size = sizeOf(dims);
    const dtype = data instanceof Float32Array ? 'float32' : data instanceof Uint8Array ? 'uint8' : 'int8';
    const read = async (from = 0, to = samples) => data.subarray(from * size, to * size);
    return [key, { key, dtype, shape: [samples, ...dims], fortranOrder: false, read }];
  });
  return { path: 'capture.npz', arrays: new Map(arrays), close: async () => {} };
}

export function captured(layer: RandomLayer, model: Model, y: NumericArray): Promise<Capture> {
  return validateCapture(model, fileOf(layer.samples, { ...layer.inputs, y: [y, layer.shape] }));
}

/** What the declared kernel computes. */
export async function rightValues(layer: RandomLayer, model: Model, kernel?: string): Promise<NumericArray> {
  const Values = ARRAYS[outputOf(layer).dtype];
  const blank = new Values(layer.samples * sizeOf(layer.shape));
  const session = new ReplaySession(
    model,
    await captured(layer, model, blank),
    referenceFor(model.producer, kernel),
    'isolated',
  );
  const run = await session.open(model.layers[0]);
  return Values.from((await run.replay(0, layer.samples)).data as NumericArray);
}

/** The report of a capture y, or of a candidate y beside the right values. */
export async function reported(
  layer: RandomLayer,
  model: Model,
  y: NumericArray,
  side: Side,
  kernel?: string,
): Promise<Report> {
  if (side === 'capture') return compare(model, await captured(layer, model, y), { kernel });
  const right = await rightValues(layer, model, kernel);
  return compare(model, await captured(layer, model, right), { candidate: await captured(layer, model, y), kernel });
}

export function diagnosisIn(report: Report): DiagnosisReport | null {
  return (report.candidate_layers ?? report.layers)[0].diagnosis;
}

// ---------------------------------------------------------------- values that nothing computed

export const DATA = [
  'one value',
  'one value a channel',
  'shuffled',
  'noise',
  'noise on some',
  'noise on all',
  'a few off by one',
  'a few bits flipped',
] as const;

/** Values in place of right ones, without any information about what computed them. */
export function without(
  random: Random,
  what: (typeof DATA)[number],
  right: NumericArray,
  layer: RandomLayer,
): NumericArray {
  const width = sizeOf(layer.shape);
  const isFloat = right instanceof Float32Array;
  const [lowest, highest] = rangeOf(layer, right);
  const any = () => (isFloat ? lowest + (highest - lowest) * random.uniform() : random.integer(lowest, highest));
  const inRange = (v: number) => (isFloat ? v : Math.min(highest, Math.max(lowest, Math.round(v))));
  const step = isFloat ? (highest - lowest) / 100 : 1;
  if (what === 'one value') return right.map(constant(any()));
  if (what === 'one value a channel') {
    const channels = layer.shape[0];
    const each = Array.from({ length: channels }, any);
    return right.map((_, i) => each[Math.floor(((i % width) * channels) / width)]);
  }
  if (what === 'shuffled') return shuffled(random, right, width);
  if (what === 'noise') return right.map(any);
  if (what === 'noise on all') return right.map((v) => inRange(v + step * 4 * random.normal()));
  if (what === 'a few off by one')
    return atSome(random, right, (v) => inRange(v + step * (random.uniform() < 0.5 ? 1 : -1)));
  if (what === 'a few bits flipped')
    return atSome(random, right, (v) => (isFloat ? any() : flipped(v, lowest, random.integer(0, 7))));
  const share = 0.02 + 0.4 * random.uniform();
  return right.map((v) => (random.uniform() < share ? inRange(v + step * random.integer(-3, 3)) : v));
}

/** One to ten values changed. */
function atSome(random: Random, right: NumericArray, changed: (value: number) => number): NumericArray {
  const values = right.slice();
  for (let left = random.integer(1, 10); left > 0; left--) {
    const at = random.integer(0, values.length - 1);
    values[at] = changed(right[at]);
  }
  return values;
}

const flipped = (code: number, lowest: number, bit: number) => lowest + ((code - lowest) ^ (1 << bit));

const constant = (value: number) => () => value;

function rangeOf({ raw }: RandomLayer, right: NumericArray): readonly [number, number] {
  if (right instanceof Float32Array) return [Math.min(...right), Math.max(...right)];
  return CLAMPS[outputOf({ raw }).dtype];
}

function outputOf({ raw }: Pick<RandomLayer, 'raw'>): Params {
  const [layer] = raw.layers as readonly { readonly output?: Params }[];
  return layer.output ?? (raw.inputs as readonly Params[])[0];
}

function shuffled(random: Random, values: NumericArray, width: number): NumericArray {
  const moved = values.slice();
  for (let row = 0; row < values.length; row += width) {
    for (let i = width - 1; i > 0; i--) {
      const j = random.integer(0, i);
      [moved[row + i], moved[row + j]] = [moved[row + j], moved[row + i]];
    }
  }
  return moved;
}
