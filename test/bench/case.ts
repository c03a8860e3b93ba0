import { createWriteStream, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import yazl from 'yazl';
import { webAssembly } from '../../src/accelerate/accelerator.js';
import { matmulAten } from '../../src/kernels/steps/matmul.js';
import type { Product } from '../../src/nouns/kernel.js';
import { replayProduct } from '../../src/replay/product.js';
import { npyHeader } from '../support/npz.js';
import { linearSteps } from '../support/steps.js';

export interface LayerShape {
  readonly name: string;
  /** Name of the model's input that it reads. */
  readonly input: string;
  readonly inFeatures: number;
  readonly outFeatures: number;
}

const SCALE = { x: 0.02, y: 1.5 };
const params = (scale: number) => ({ dtype: 'uint8', scale, zeroPoint: 128, quantMin: 0, quantMax: 255 }) as const;

/** A sample has so many rows of the layers' features. */
export interface Extent {
  readonly samples: number;
  readonly rows: number;
}

/** A product of two matrices a head in each block: its layers, the values they read, and what all of them give. */
export interface Attention {
  readonly layers: readonly string[];
  readonly dims: readonly [heads: number, rows: number, depth: number];
}

/** A model of linear layers and a capture that equals their replay: model.json, model.npz, capture.npz. Same bytes for the same seed. */
export async function makeCase(
  folder: string,
  layers: readonly LayerShape[],
  extent: number | Extent,
  attention: Attention | null = null,
): Promise<void> {
  const { samples: calls, rows: places } = typeof extent === 'number' ? { samples: extent, rows: 1 } : extent;
  const samples = calls * places;
  const shapeOf = (features: number) => (places === 1 ? [features] : [places, features]);
  mkdirSync(folder, { recursive: true });
  const inputs = new Map(layers.map(({ input, inFeatures }) => [input, inFeatures]));
  const codes = new Map([...inputs].map(([name, features], i) => [name, random(samples * features, i + 1)]));
  const fast = webAssembly({ worthStarting: 0 });
  const weightOf = (index: number) => {
    const { inFeatures, outFeatures } = layers[index];
    return new Int8Array(random(outFeatures * inFeatures, 1000 + index).buffer);
  };
  const outputOf = (index: number) => {
    const { input, inFeatures, outFeatures } = layers[index];
    const linear: Product = {
      inFeatures,
      outFeatures,
      perChannel: true,
      weight: weightOf(index),
      weightScale: scalesOf(outFeatures),
      weightZeroPoint: new Int32Array(outFeatures),
      bias: biasesOf(outFeatures),
      biasInt32: null,
      activation: 'none',
      input: params(SCALE.x),
      output: params(SCALE.y),
    };
    const x = { rows: samples, cols: inFeatures, data: codes.get(input)! };
    return (
      fast.codes(linearSteps('fbgemm'), linear, x) ??
      Uint8Array.from(replayProduct(linearSteps('fbgemm'), linear, x).data)
    );
  };
  await writeNpz(join(folder, 'model.npz'), [
    ...layers.flatMap(({ name, inFeatures, outFeatures }, i): Member[] => [
      [weightName(name, layers), '|i1', [outFeatures, inFeatures], () => weightOf(i)],
      [`${prefix(name, layers)}scale`, '<f8', [outFeatures], () => scalesOf(outFeatures)],
      [`${prefix(name, layers)}bias`, '<f4', [outFeatures], () => biasesOf(outFeatures)],
    ]),
  ]);
  await writeNpz(join(folder, 'capture.npz'), [
    ...[...inputs].map(([name, features]): Member => {
      return [name, '|u1', [calls, ...shapeOf(features)], () => codes.get(name)!];
    }),
    ...layers.map(({ name, outFeatures }, i): Member => {
      return [name, '|u1', [calls, ...shapeOf(outFeatures)], () => outputOf(i)];
    }),
    ...attentionValues(attention, calls),
  ]);
  const model = {
    format: 'qdiff-model',
    version: 1,
    producer: { framework: 'pytorch', engine: 'fbgemm' },
    arrays: 'model.npz',
    inputs: [
      ...[...inputs].map(([name, features]) => ({ name, ...quantization(SCALE.x), ...shapeField(shapeOf(features)) })),
      ...(attention
        ? ['heads_a', 'heads_b'].map((name) => ({ name, ...quantization(SCALE.x), shape: attention.dims }))
        : []),
    ],
    layers: [
      ...layers.map(({ name, input, outFeatures }) => ({
        name,
        op: 'linear',
        input,
        weight: { array: weightName(name, layers) },
        weight_scale: { array: `${prefix(name, layers)}scale` },
        bias: { array: `${prefix(name, layers)}bias` },
        bias_dtype: 'float32',
        activation: 'none',
        output: quantization(SCALE.y),
        ...shapeField(shapeOf(outFeatures)),
      })),
      ...attentionLayers(attention),
    ],
  };
  writeFileSync(join(folder, 'model.json'), JSON.stringify(model, null, 1));
}

/** A candidate of a layer whose values are noise. */
export async function makeNoise(path: string, layer: string, samples: number, features: number): Promise<void> {
  await writeNpz(path, [[layer, '|u1', [samples, features], () => random(samples * features, 77)]]);
}

const quantization = (scale: number) => ({ dtype: 'uint8', scale, zero_point: 128 });
const shapeField = (shape: readonly number[]) => (shape.length === 1 ? {} : { shape });

function attentionLayers(attention: Attention | null): object[] {
  if (!attention) return [];
  const { layers, dims } = attention;
  const [heads, rows] = dims;
  const shape = [heads, rows, rows];
  const own = { op: 'matmul', input: ['heads_a', 'heads_b'], output: quantization(SCALE.y), shape };
  return layers.map((name) => ({ name, ...own }));
}

/** Every block has the same: the second matrix is [depth, rows] of it, as deep as it is high. */
function attentionValues(attention: Attention | null, samples: number): Member[] {
  if (!attention) return [];
  const { layers, dims } = attention;
  const length = samples * dims.reduce((product, size) => product * size, 1);
  const [a, b] = [random(length, 501), random(length, 502)];
  const value = (data: Uint8Array, scale: number) => {
    return { data, shape: { dims, channelAxis: 0 }, params: params(scale), memory: CONTIGUOUS };
  };
  const place = { samples, first: 0, ofCall: samples, threads: 1, vectors: 'avx512' as const };
  const host = { cpu: 'fma', version: null } as const;
  const inputs = [value(a, SCALE.x), value(b, SCALE.x)];
  const output = value(a, SCALE.y);
  const computed = matmulAten.run({ attributes: {}, activation: 'none', inputs, output, ...place, host });
  const codes = Uint8Array.from('data' in computed ? computed.data : computed);
  const members = [['heads_a', a], ['heads_b', b], ...layers.map((name) => [name, codes] as const)] as const;
  return members.map(([name, data]): Member => [name, '|u1', [samples, ...dims], () => data]);
}

const CONTIGUOUS = { format: 'contiguous', strides: null } as const;

/** One layer's arrays have plain names, which script.py reads. */
const prefix = (name: string, layers: readonly LayerShape[]) => (layers.length === 1 ? '' : `${name}.`);
const weightName = (name: string, layers: readonly LayerShape[]) => `${prefix(name, layers)}weight`;
const scalesOf = (channels: number) => Float64Array.from({ length: channels }, (_, n) => (1 + (n % 7)) / 1024);
const biasesOf = (channels: number) => Float32Array.from({ length: channels }, (_, n) => ((n % 11) - 5) / 4);

/** xorshift32: repeatable, and fast enough for gigabytes. */
export function random(length: number, seed: number): Uint8Array {
  const words = new Uint32Array(Math.ceil(length / 4));
  let state = (seed * 2654435761) >>> 0 || 1;
  for (let i = 0; i < words.length; i++) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    words[i] = state;
  }
  return new Uint8Array(words.buffer, 0, length);
}

type Member = readonly [name: string, descr: string, shape: readonly number[], data: () => ArrayBufferView];

/** Stored members, made one at a time. */
async function writeNpz(path: string, members: readonly Member[]): Promise<void> {
  const zip = new yazl.ZipFile();
  for (const [name, descr, shape, data] of members) {
    const tuple = shape.length === 1 ? `(${shape[0]},)` : `(${shape.join(', ')})`;
    const head = npyHeader(`{'descr': '${descr}', 'fortran_order': False, 'shape': ${tuple}, }`);
    zip.addReadStreamLazy(`${name}.npy`, { compress: false }, (done) => {
      const { buffer, byteOffset, byteLength } = data();
      done(null, Readable.from([head, Buffer.from(buffer, byteOffset, byteLength)], { objectMode: false }));
    });
  }
  zip.end();
  await pipeline(zip.outputStream, createWriteStream(path));
}
