import { compare } from '../../src/compare/compare.js';
import type { NumericArray } from '../../src/nouns/array.js';
import type { Capture, CapturedValue } from '../../src/nouns/capture.js';
import type { Product, ProductSteps } from '../../src/nouns/kernel.js';
import type { Model } from '../../src/nouns/model.js';
import type { Report } from '../../src/nouns/report.js';
import type { QuantParams, ValueParams } from '../../src/nouns/value.js';
import { replayProduct } from '../../src/replay/product.js';
import { rowOf } from '../../src/tensor/shape.js';
import { OF_MATRICES } from '../../src/validate/shapes.js';
import { linearSteps } from '../support/steps.js';

/** A small generator with a fixed seed (mulberry32): the same layers at every run. */
export function randomFrom(seed: number) {
  let state = seed >>> 0;
  const uniform = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
  const integer = (lo: number, hi: number) => lo + Math.floor(uniform() * (hi - lo + 1));
  const normal = () => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform());
  return { uniform, integer, normal };
}

export type Random = ReturnType<typeof randomFrom>;

export interface World {
  readonly kind: string;
  /** The declared kernel, where it is not PyTorch's fbgemm. */
  readonly kernel?: string;
  readonly linear: Product;
  readonly x: Uint8Array | Int8Array;
  readonly samples: number;
}

export interface Shape {
  readonly samples: number;
  readonly inFeatures: number;
  readonly outFeatures: number;
  readonly perChannel: boolean;
  readonly relu: boolean;
  readonly xZeroPoint: number;
  readonly yZeroPoint: number;
  readonly xSpread: number;
}

export type Kind = keyof typeof SHAPES | keyof typeof RARE;

/** Layers as there are many. */
export const SHAPES = {
  small: {
    samples: 150,
    inFeatures: 8,
    outFeatures: 12,
    perChannel: true,
    relu: false,
    xZeroPoint: 128,
    yZeroPoint: 128,
    xSpread: 45,
  },
  wide: {
    samples: 240,
    inFeatures: 272,
    outFeatures: 48,
    perChannel: true,
    relu: true,
    xZeroPoint: 60,
    yZeroPoint: 70,
    xSpread: 90,
  },
  'per tensor': {
    samples: 200,
    inFeatures: 32,
    outFeatures: 32,
    perChannel: false,
    relu: false,
    xZeroPoint: 110,
    yZeroPoint: 121,
    xSpread: 45,
  },
} as const satisfies Record<string, Shape>;

const few = { samples: 240, inFeatures: 8, outFeatures: 24, perChannel: true, xZeroPoint: 128, xSpread: 45 };

/** Layers on which one rule shows that ordinary values hide: one value in a hundred is a tie, or less than one in a million. */
const RARE = {
  /** Scales are powers of two and there is no bias, so halves are exact; an odd zero point: before or after rounding shows. */
  ties: { ...few, relu: false, yZeroPoint: 115 },
  /** The same where it does not show. */
  'ties, even zero point': { ...few, relu: false, yZeroPoint: 116 },
  /** Each channel within two float32 steps of a tie for one sample; zero point 0 takes no part in a sum. */
  'near ties': { ...few, samples: 8, inFeatures: 4, outFeatures: 160, relu: false, yZeroPoint: 0 },
  /** The same with one scale: its bias is fused into the sum. */
  'near ties, per tensor': {
    ...few,
    samples: 8,
    inFeatures: 4,
    outFeatures: 160,
    perChannel: false,
    relu: false,
    yZeroPoint: 0,
  },
  /** Sums beyond 2^24, as they are. */
  'large sums': { ...few, samples: 120, inFeatures: 2048, relu: false, xZeroPoint: 0, yZeroPoint: 0 },
  /** int8 codes, where 0 is not the lowest: a ReLU at 0 is not the same as none. */
  'int8 with ReLU': { ...few, relu: true, xZeroPoint: -3, yZeroPoint: -30 },
} as const satisfies Record<string, Shape>;

/** The common kinds, for tables. */
export const KINDS = Object.keys(SHAPES) as (keyof typeof SHAPES)[];

/** A layer as training leaves it: weights that fill int8 in each channel, outputs that fill most of uint8. */
export function worldOf(kind: Kind, random: Random): World {
  const world = trained(kind, random);
  if (kind === 'ties' || kind === 'ties, even zero point') return withTies(world);
  if (kind === 'near ties' || kind === 'near ties, per tensor') return withNearTies(world, random);
  if (kind === 'large sums') return withLargeSums(world);
  return kind === 'int8 with ReLU' ? asInt8(world) : world;
}

function withTies(world: World): World {
  const { linear } = world;
  const weightScale = linear.weightScale.map((_, n) => 2 ** -(7 + (n % 2)));
  const output = { ...(linear.output as QuantParams), scale: 2 ** -7 };
  return {
    ...world,
    linear: { ...linear, weightScale, bias: null, input: { ...linear.input, scale: 2 ** -6 }, output },
  };
}

/** Channel n's bias takes sample n % samples to k + 1/2 in real arithmetic, then up to two float32 steps away. */
function withNearTies(world: World, random: Random): World {
  const { linear, x, samples } = world;
  const { inFeatures, weight, weightScale, input } = linear;
  const output = linear.output as QuantParams;
  const bias = Float32Array.from({ length: linear.outFeatures }, (_, n) => {
    const row = (n % samples) * inFeatures;
    let acc = 0;
    for (let k = 0; k < inFeatures; k++) acc += (x[row + k] - input.zeroPoint) * weight[n * inFeatures + k];
    return (random.integer(1, 254) + 0.5) * output.scale - acc * input.scale * weightScale[linear.perChannel ? n : 0];
  });
  const bits = new Int32Array(bias.buffer);
  for (let n = 0; n < bits.length; n++) bits[n] += random.integer(-2, 2);
  return { ...world, linear: { ...linear, bias } };
}

/** Positive factors, and the sums themselves. */
function withLargeSums(world: World): World {
  const { linear } = world;
  const output: QuantParams = { dtype: 'int32', scale: 1, zeroPoint: 0, quantMin: -(2 ** 31), quantMax: 2 ** 31 - 1 };
  const input = { ...linear.input, scale: 1, zeroPoint: 0 };
  const weight = linear.weight.map((w) => 100 + Math.abs(w % 28)) as Product['weight'];
  const ones = { weightScale: linear.weightScale.map(() => 1), bias: null };
  return {
    ...world,
    kernel: 'numpy',
    x: world.x.map((c) => 128 + (c % 128)),
    linear: { ...linear, ...ones, input, output, weight },
  };
}

/** Codes and zero points moved by 128 together; ONNX Runtime, since PyTorch's FBGEMM has no int8 activations. */
function asInt8(world: World): World {
  const { linear } = world;
  const int8 = (params: QuantParams): QuantParams => ({ ...params, dtype: 'int8', quantMin: -128, quantMax: 127 });
  return {
    ...world,
    kernel: 'ort',
    x: Int8Array.from(world.x, (code) => code - 128),
    linear: { ...linear, input: int8(linear.input), output: int8(linear.output as QuantParams) },
  };
}

function trained(kind: Kind, random: Random): World {
  const shape: Shape = { ...SHAPES, ...RARE }[kind];
  const { samples, inFeatures, outFeatures, perChannel, relu } = shape;
  const x = Uint8Array.from({ length: samples * inFeatures }, () =>
    clampCode((shape.xZeroPoint < 0 ? 128 : 0) + shape.xZeroPoint + random.normal() * shape.xSpread),
  );
  const weight = new Int8Array(outFeatures * inFeatures);
  for (let n = 0; n < outFeatures; n++) {
    const wide = kind === 'wide';
    const row = Array.from({ length: inFeatures }, () => (wide ? 2 * random.uniform() - 1 : random.normal()));
    const top = Math.max(...row.map(Math.abs));
    row.forEach((w, k) => {
      weight[n * inFeatures + k] = Math.round((w / top) * 127);
    });
  }
  const weightScale = perChannel
    ? Float64Array.from({ length: outFeatures }, () => Math.fround(0.002 + 0.004 * random.uniform()))
    : Float64Array.of(Math.fround(0.004));
  const input = quant(Math.fround(0.01 + 0.02 * random.uniform()), shape.xZeroPoint);
  const middle = weightScale[0] * input.scale;
  const spread = Math.sqrt(inFeatures) * shape.xSpread * 45;
  const output = quant(Math.fround((middle * spread) / 45), shape.yZeroPoint);
  const bias = Float32Array.from({ length: outFeatures }, () => random.normal() * output.scale * 30);
  const linear: Product = {
    perChannel,
    weightScale,
    weightZeroPoint: Int32Array.of(0),
    bias,
    biasInt32: null,
    activation: relu ? 'relu' : 'none',
    outFeatures,
    inFeatures,
    weight,
    input,
    output,
  };
  return { kind, linear, x, samples };
}

/** The same codes under another scale, as far as rounding allows. */
export function withOutputScale(linear: Product, scale: number): Product {
  const output = linear.output as QuantParams;
  const factor = scale / output.scale;
  return {
    ...linear,
    weightScale: linear.weightScale.map((s) => s * factor),
    bias: linear.bias?.map((b) => b * factor) ?? null,
    output: { ...output, scale },
  };
}

export function quant(scale: number, zeroPoint: number): QuantParams {
  return { dtype: 'uint8', scale, zeroPoint, quantMin: 0, quantMax: 255 };
}

function clampCode(value: number): number {
  return Math.min(255, Math.max(0, Math.round(value)));
}

export function kernel(name: string): ProductSteps {
  return linearSteps(name);
}

/** The same kernel with other steps. */
export function fbgemmWith(steps: Partial<ProductSteps>): ProductSteps {
  return { ...linearSteps('fbgemm'), ...steps };
}

export function outputsOf(
  world: World,
  by: ProductSteps = linearSteps(world.kernel ?? 'fbgemm'),
  linear: Product = world.linear,
): Int32Array {
  const codes = { rows: world.samples, cols: linear.inFeatures, data: world.x };
  return Int32Array.from(replayProduct(by, linear, codes).data);
}

/** Compares a one-layer model with its capture (and a candidate), in memory. */
export function compareLayer(
  world: World,
  declared: Product,
  captured: NumericArray,
  options: { candidate?: NumericArray; producer?: Model['producer']; kernel?: string; diagnose?: boolean } = {},
): Promise<Report> {
  const model = modelOf(declared, options.producer ?? producerOf(world));
  const inputs = { quant: capturedValue(world.x, world.samples) };
  const capture = captureOf({ ...inputs, fc: capturedValue(captured, world.samples) }, world.samples);
  const candidate =
    options.candidate && captureOf({ fc: capturedValue(options.candidate, world.samples) }, world.samples);
  return compare(model, capture, { candidate, kernel: options.kernel, diagnose: options.diagnose });
}

function producerOf({ kernel }: World): Model['producer'] {
  return kernel ? { framework: 'onnxruntime', kernel } : { framework: 'pytorch', flow: 'eager', engine: 'x86' };
}

export function modelOf(linear: Product, producer: Model['producer']): Model {
  const { outFeatures, inFeatures, weight, input, output } = linear;
  const { perChannel, weightScale, weightZeroPoint, bias, biasInt32, activation } = linear;
  const params = { perChannel, weightScale, weightZeroPoint, bias, biasInt32, activation };
  const source = { outFeatures, inFeatures, read: async () => weight as Int8Array };
  return {
    path: 'model.json',
    producer,
    ...OF_MATRICES,
    inputs: [{ name: 'quant', params: input as ValueParams }],
    layers: [
      {
        op: 'linear',
        name: 'fc',
        inputs: ['quant'],
        output,
        form: { kind: 'product', dynamic: null, weight: source, ...params },
      },
    ],
    warnings: [],
  };
}

export function captureOf(values: Record<string, CapturedValue>, samples: number): Capture {
  return {
    path: 'capture.npz',
    samples,
    values: new Map(Object.entries(values)),
    shapes: new Map(),
    batchSizes: [samples],
    warnings: [],
  };
}

export function capturedValue(data: NumericArray, samples: number): CapturedValue {
  const features = data.length / samples;
  const read = async (from: number, to: number) => data.subarray(from * features, to * features);
  return { samples, features, shape: rowOf(features), dtype: 'int32', read };
}

/** All sets of causes that a report gives for the layer: the named one and those that cannot be told apart. */
export function explanationsOf(report: Report): string[] {
  const layer = (report.candidate_layers ?? report.layers)[0];
  if (!layer.diagnosis) return [];
  return [layer.diagnosis.causes, ...layer.diagnosis.indistinguishable.map(({ causes }) => causes)].map((set) =>
    [...set].sort().join('+'),
  );
}
