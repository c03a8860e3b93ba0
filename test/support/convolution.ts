/** A small convolution by plain loops, and its mistakes: what it reads or multiplies may be changed at every step. */
import { compare } from '../../src/compare/compare.js';
import { productSteps } from '../../src/kernels/kernel.js';
import { kernelByName } from '../../src/kernels/registry.js';
import type { NumericArray } from '../../src/nouns/array.js';
import type { Capture, CapturedValue } from '../../src/nouns/capture.js';
import type { Model, ProductLayer } from '../../src/nouns/model.js';
import type { QuantParams } from '../../src/nouns/value.js';
import { finishProduct } from '../../src/replay/product.js';
import { fromRows, toRows } from '../../src/tensor/rows.js';
import { validateModel } from '../../src/validate/model.js';
import { randomFrom } from '../diagnose/world.js';

export interface Geometry {
  /** [C, H, W] */
  readonly input: readonly [number, number, number];
  /** [OC, IC / groups, KH, KW] */
  readonly weight: readonly [number, number, number, number];
  readonly stride?: readonly [number, number];
  readonly padding?: readonly [readonly [number, number], readonly [number, number]];
  readonly dilation?: readonly [number, number];
  readonly groups?: number;
}

export interface Tap {
  readonly sample: number;
  readonly n: number;
  readonly group: number;
  /** Of the group. */
  readonly c: number;
  readonly ky: number;
  readonly kx: number;
  readonly oy: number;
  readonly ox: number;
}

export type Full = Required<Geometry>;

/** What a mistake changes: the place that a tap reads (channel, y, x), what padding holds, the weight. */
export interface Mistake {
  readonly place?: (tap: Tap, geometry: Full) => readonly [channel: number, y: number, x: number];
  readonly padding?: (y: number, x: number, read: (y: number, x: number) => number, geometry: Full) => number;
  readonly weight?: (tap: Tap, at: (n: number, c: number, ky: number, kx: number) => number, geometry: Full) => number;
  /** Used in place of the input's zero point. */
  readonly zeroPoint?: number;
}

export interface Scene {
  readonly geometry: Full;
  readonly samples: number;
  readonly x: Uint8Array;
  readonly weight: Int8Array;
  readonly zeroPoint: number;
  readonly raw: Record<string, unknown>;
}

export function full(geometry: Geometry): Full {
  return {
    stride: [1, 1],
    padding: [
      [0, 0],
      [0, 0],
    ],
    dilation: [1, 1],
    groups: 1,
    ...geometry,
  };
}

export function outputDims({ input: [, h, w], weight: [, , kh, kw], stride, padding, dilation }: Full) {
  const of = (size: number, kernel: number, axis: number) =>
    Math.floor((size + padding[axis][0] + padding[axis][1] - dilation[axis] * (kernel - 1) - 1) / stride[axis]) + 1;
  return [of(h, kh, 0), of(w, kw, 1)] as const;
}

/** Of a network as it is trained: codes in the middle of uint8, or near 255 where pairs are to saturate. */
export function sceneOf(
  given: Geometry,
  { samples = 5, seed = 1, zeroPoint = 117, high = 200, producer = {} } = {},
): Scene {
  const geometry = full(given);
  const random = randomFrom(seed);
  const { input, weight: dims } = geometry;
  const size = (list: readonly number[]) => list.reduce((product, dim) => product * dim, 1);
  const x = Uint8Array.from({ length: samples * size(input) }, () => random.integer(high - 160, high));
  const weight = Int8Array.from({ length: size(dims) }, () => random.integer(-90, 90));
  const scales = Array.from({ length: dims[0] }, () => Math.fround(0.003 + 0.003 * random.uniform()));
  const bias = Array.from({ length: dims[0] }, () => Math.fround(random.normal() * 0.3));
  const nested = (from: number, [first, ...rest]: readonly number[]): unknown =>
    rest.length === 0
      ? [...weight.subarray(from, from + first)]
      : Array.from({ length: first }, (_, i) => nested(from + i * size(rest), rest));
  const { stride, padding, dilation, groups } = geometry;
  const layer = {
    name: 'y',
    op: 'conv2d',
    input: 'x',
    weight: nested(0, dims),
    weight_scale: scales,
    bias,
    bias_dtype: 'float32',
    ...{ stride, padding, dilation, groups },
    output: { dtype: 'uint8', scale: 0.02 * 0.0045 * 60 * Math.sqrt(size(dims.slice(1))), zero_point: 121 },
  };
  const value = { name: 'x', dtype: 'uint8', scale: 0.02, zero_point: zeroPoint, shape: input };
  const raw = {
    format: 'qdiff-model',
    version: 1,
    layout: 'NCHW',
    producer: { framework: 'pytorch', flow: 'eager', engine: 'x86', ...producer },
    inputs: [value],
    layers: [layer],
  };
  return { geometry, samples, x, weight, zeroPoint, raw };
}

/** Sums [samples, OC, OH, OW]. */
export function sumsOf({ geometry, samples, x, weight, zeroPoint }: Scene, mistake: Mistake = {}): Int32Array {
  const {
    input: [channels, h, w],
    weight: [outputs, inputs, kh, kw],
    groups,
  } = geometry;
  const { stride, padding, dilation } = geometry;
  const [oh, ow] = outputDims(geometry);
  const place =
    mistake.place ??
    (({ group, c, ky, kx, oy, ox }: Tap) => [
      group * inputs + c,
      oy * stride[0] - padding[0][0] + ky * dilation[0],
      ox * stride[1] - padding[1][0] + kx * dilation[1],
    ]);
  const weightAt = (n: number, c: number, ky: number, kx: number) => weight[((n * inputs + c) * kh + ky) * kw + kx];
  const own = mistake.weight ?? (({ n, c, ky, kx }: Tap) => weightAt(n, c, ky, kx));
  const sums = new Int32Array(samples * outputs * oh * ow);
  const zero = mistake.zeroPoint ?? zeroPoint;
  for (let i = 0; i < sums.length; i++) {
    const [ox, oy, n] = [i % ow, Math.floor(i / ow) % oh, Math.floor(i / (ow * oh)) % outputs];
    const sample = Math.floor(i / (ow * oh * outputs));
    const group = Math.floor(n / (outputs / groups));
    for (let ky = 0; ky < kh; ky++) {
      for (let kx = 0; kx < kw; kx++) {
        for (let c = 0; c < inputs; c++) {
          const tap = { sample, n, group, c, ky, kx, oy, ox };
          const [channel, iy, ix] = place(tap, geometry);
          const read = (y: number, z: number) => x[((sample * channels + channel) * h + y) * w + z];
          const inside = iy >= 0 && iy < h && ix >= 0 && ix < w;
          const code = inside ? read(iy, ix) : (mistake.padding?.(iy, ix, read, geometry) ?? zeroPoint);
          sums[i] += (code - zero) * own(tap, weightAt, geometry);
        }
      }
    }
  }
  return sums;
}

export function modelOf({ raw }: Scene, change: object = {}): Promise<Model> {
  const [layer] = raw.layers as object[];
  return validateModel({ ...raw, layers: [{ ...layer, ...change }] }, 'model.json', 'none');
}

/** Codes of such sums under a kernel, [samples, OC, OH, OW]. */
export async function codesOf(scene: Scene, sums: Int32Array, kernel = 'fbgemm'): Promise<Int32Array> {
  const model = await modelOf(scene);
  const layer = model.layers[0] as ProductLayer;
  const { weight, ...params } = layer.form;
  const input = model.inputs[0].params as QuantParams;
  const [oh, ow] = outputDims(scene.geometry);
  const shape = { dims: [scene.geometry.weight[0], oh, ow], channelAxis: 0 };
  const steps = productSteps(kernelByName(kernel), { op: 'linear' })!;
  const product = {
    ...params,
    outFeatures: weight.outFeatures,
    inFeatures: weight.inFeatures,
    weight: await weight.read(),
  };
  const { patch: _, ...flat } = product;
  return fromRows(
    finishProduct(steps, { ...flat, input, output: layer.output! }, toRows(sums, shape)) as Int32Array,
    shape,
  );
}

/** A capture of such codes, all of them one call. */
export function captureOf(model: Model, samples: number, values: Record<string, NumericArray>): Capture {
  const shapes = model.shapes!;
  const captured = Object.entries(values).map(([name, data]): [string, CapturedValue] => {
    const features = data.length / samples;
    const read = async (from: number, to: number) => data.subarray(from * features, to * features);
    return [name, { samples, features, shape: shapes.get(name)!, dtype: 'int32', read }];
  });
  return { path: 'capture.npz', samples, values: new Map(captured), shapes, batchSizes: [samples], warnings: [] };
}

/** The diagnosis of a capture y; or of a candidate beside a right capture. */
export async function diagnosisOf(scene: Scene, y: NumericArray, side: 'capture' | 'candidate', change: object = {}) {
  const model = await modelOf(scene, change);
  const { x, samples } = scene;
  if (side === 'capture') return (await compare(model, captureOf(model, samples, { x, y }))).layers[0].diagnosis;
  const right = await codesOf(scene, sumsOf(scene));
  const candidate = captureOf(model, samples, { y });
  const report = await compare(model, captureOf(model, samples, { x, y: right }), { candidate });
  return report.candidate_layers![0].diagnosis;
}
