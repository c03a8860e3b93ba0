import { createWriteStream, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import yazl from 'yazl';
import { webAssembly } from '../../src/accelerate/accelerator.js';
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

/** A model of linear layers and a capture that equals their replay: model.json, model.npz, capture.npz. Same bytes for the same seed. */
export async function makeCase(folder: string, layers: readonly LayerShape[], samples: number): Promise<void> {
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
    ...[...inputs].map(([name, features]): Member => [name, '|u1', [samples, features], () => codes.get(name)!]),
    ...layers.map(({ name, outFeatures }, i): Member => [name, '|u1', [samples, outFeatures], () => outputOf(i)]),
  ]);
  const model = {
    format: 'qdiff-model',
    version: 1,
    producer: { framework: 'pytorch', engine: 'fbgemm' },
    arrays: 'model.npz',
    inputs: [...inputs.keys()].map((name) => ({ name, dtype: 'uint8', scale: SCALE.x, zero_point: 128 })),
    layers: layers.map(({ name, input }) => ({
      name,
      op: 'linear',
      input,
      weight: { array: weightName(name, layers) },
      weight_scale: { array: `${prefix(name, layers)}scale` },
      bias: { array: `${prefix(name, layers)}bias` },
      bias_dtype: 'float32',
      activation: 'none',
      output: { dtype: 'uint8', scale: SCALE.y, zero_point: 128 },
    })),
  };
  writeFileSync(join(folder, 'model.json'), JSON.stringify(model, null, 1));
}

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
