/** Products for which the fast path must equal the readable one: every tail, extremes, zero points, every dtype of codes. */

import { type Settings, webAssembly } from '../../src/accelerate/accelerator.js';
import * as steps from '../../src/kernels/steps/accumulate.js';
import type { AccumulateStep, Codes, Product } from '../../src/nouns/kernel.js';
import { made, summed, tiled } from './tiles.js';

export const stepsWithForm: readonly AccumulateStep[] = [
  steps.exact,
  steps.pairsSaturatingInt16,
  steps.pairsSaturatingInt16Unsigned,
  steps.pairsSaturatingInt16Blocks384,
  steps.pairsSaturatingInt16Blocks256,
];

const TAILS = [1, 7, 8, 9, 15, 16, 17, 255, 256, 257];

export interface Shape {
  readonly rows: number;
  readonly channels: number;
  readonly inFeatures: number;
}

/** Each dimension through its tails; tiles are 4 rows x 8 channels, 32 channels, 128 and 1024 rows, chunks of 1024 in k. */
export const shapes: readonly Shape[] = [
  ...TAILS.map((rows) => ({ rows, channels: 9, inFeatures: 17 })),
  ...TAILS.map((channels) => ({ rows: 5, channels, inFeatures: 17 })),
  ...[...TAILS, 258, 259, 511, 513, 514, 767, 768, 769, 770, 1023, 1024, 1025, 2049, 4097].map((inFeatures) => ({
    rows: 5,
    channels: 9,
    inFeatures,
  })),
  { rows: 1025, channels: 33, inFeatures: 9 },
  { rows: 1, channels: 1, inFeatures: 4097 },
  { rows: 131, channels: 40, inFeatures: 1026 },
];

type Fill = (i: number) => number;

interface Filling {
  readonly name: string;
  /** Of int8; uint8 codes are 128 more. */
  readonly x: Fill;
  readonly w: Fill;
}

const hash = (i: number, seed: number) => (Math.imul(i + seed * 7919, 2654435761) >>> 13) & 0xff;

export const fillings: readonly Filling[] = [
  { name: 'random', x: (i) => hash(i, 1) - 128, w: (i) => hash(i, 2) - 128 },
  { name: 'largest codes, smallest weights', x: () => 127, w: () => -128 },
  { name: 'largest codes, largest weights', x: () => 127, w: () => 127 },
  { name: 'alternating', x: (i) => (i & 1 ? 127 : -128), w: (i) => (i & 2 ? 127 : -128) },
];

const ZERO_POINTS = [
  { x: 0, w: () => 0 },
  { x: 3, w: (n: number) => (n % 5) - 2 },
  { x: 255, w: () => -128 },
  { x: 128, w: (n: number) => (n & 1 ? 127 : -128) },
];

export type CodesDtype = 'uint8' | 'int8' | 'int32';

export interface Case {
  readonly name: string;
  readonly x: Codes;
  readonly linear: Product;
}

export function caseOf(shape: Shape, filling: Filling, dtype: CodesDtype, zeroPoint = ZERO_POINTS[0]): Case {
  const { rows, channels, inFeatures } = shape;
  const base = dtype === 'int8' ? 0 : 128;
  const values = Array.from({ length: rows * inFeatures }, (_, i) => filling.x(i) + base);
  const data =
    dtype === 'int8' ? Int8Array.from(values) : dtype === 'uint8' ? Uint8Array.from(values) : Int32Array.from(values);
  const xZeroPoint = zeroPoint.x - (dtype === 'int8' ? 128 : 0);
  const input = { dtype: dtype === 'int8' ? 'int8' : 'uint8', scale: 0.01, zeroPoint: xZeroPoint } as const;
  const [quantMin, quantMax] = dtype === 'int8' ? [-128, 127] : [0, 255];
  const linear: Product = {
    outFeatures: channels,
    inFeatures,
    weight: Int8Array.from({ length: channels * inFeatures }, (_, i) => filling.w(i)),
    perChannel: true,
    weightScale: Float64Array.from({ length: channels }, () => 0.01),
    weightZeroPoint: Int32Array.from({ length: channels }, (_, n) => zeroPoint.w(n)),
    bias: null,
    biasInt32: null,
    activation: 'none',
    input: { ...input, quantMin, quantMax },
    output: { ...input, quantMin, quantMax },
  };
  const name = `${rows}x${inFeatures}x${channels} ${filling.name} ${dtype} zero points ${xZeroPoint}, ${zeroPoint.w(0)}`;
  return { name, x: { rows, cols: inFeatures, data }, linear };
}

export function* cases(): Generator<Case> {
  for (const [s, shape] of shapes.entries()) {
    for (const [f, filling] of fillings.entries()) {
      const dtype = (['uint8', 'int8', 'uint8', 'int32'] as const)[(s + f) % 4];
      yield caseOf(shape, filling, dtype, ZERO_POINTS[0]);
      yield caseOf(shape, filling, dtype, ZERO_POINTS[1 + ((s + f) % 3)]);
    }
  }
}

interface Comparison {
  readonly compared: number;
  /** In how many the sums were not exact ones. */
  readonly inexact: number;
  readonly differing: readonly string[];
  /** What was left to multiply with. */
  readonly with: string | null;
}

/** The whole table, and convolutions. */
export function compareAll(settings: Settings = { threads: 1, portable: true }): Comparison {
  const fast = webAssembly({ worthStarting: 0, worthProving: 0, ...settings });
  const differing: string[] = [];
  let compared = 0;
  let inexact = 0;
  for (const { name, x, linear } of cases()) {
    let exact = '';
    for (const step of stepsWithForm) {
      const readable = step.run(x, linear);
      const found = fast.accumulate(step.form!(linear)!, x, linear);
      const same = found !== null && Buffer.from(found.buffer).equals(Buffer.from(readable.data.buffer));
      if (!same) differing.push(`${step.name} ${name}${found ? '' : ': not taken'}`);
      const sums = Buffer.from(readable.data.buffer).toString('latin1');
      if (step === steps.exact) exact = sums;
      else if (sums !== exact) inexact++;
      compared++;
    }
  }
  for (const [i, convolution] of tiled.entries()) {
    const { product, gathered } = made(convolution);
    const found = fast.accumulate({ pairs: null }, gathered, product);
    if (found?.join() !== summed({ product, gathered }).join()) differing.push(`convolution ${i}`);
    compared++;
  }
  return { compared, inexact, differing, with: fast.describe() };
}
