/** Layers whose sums a test adds by itself, product by product. */
import type { NumericArray } from '../../src/nouns/array.js';
import { roundHalfEven } from '../../src/numeric/round.js';
import { type Alone, diagnosisOf } from '../support/alone.js';
import { randomFrom } from './world.js';

const list = <T>(length: number, of: (i: number) => T) => Array.from({ length }, (_, i) => of(i));

export interface Summed {
  readonly alone: Alone;
  readonly size: { readonly channels: number; readonly places: number; readonly columns: number };
  readonly scales: { readonly input: number; readonly weights: readonly number[]; readonly output: number };
  readonly bias: readonly number[];
  readonly multipliers: readonly number[];
  /** In units of the sums. */
  readonly biases: readonly number[];
  /** What an output multiplies, in the file's order (of a convolution channel by channel): codes less their zero point, and weights. */
  readonly factors: (sample: number, channel: number, place: number) => readonly (readonly [x: number, w: number])[];
}

const [ZX, ZY, SX, SY] = [9, 120, Math.fround(0.02), Math.fround(0.025)];

/** A matrix, of a rising number of which samples are read. */
export function linear(seed: number, { samples = 160, inputs = 40, outputs = 16 } = {}): Summed {
  const random = randomFrom(seed);
  const weight = list(outputs, () => list(inputs, () => random.integer(-127, 127)));
  const x = Uint8Array.from({ length: samples * inputs }, () => random.integer(0, 255));
  const layer = { op: 'linear', weight };
  const factors: Summed['factors'] = (sample, channel) =>
    weight[channel].map((w, k) => [x[sample * inputs + k] - ZX, w]);
  return summed({ layer, shape: [inputs], outputs, places: 1, columns: 1, x, samples, factors, random });
}

/** A convolution of 3 by 3 with padding. */
export function convolution(seed: number, { samples = 6, inputs = 8, outputs = 12, size = 6 } = {}): Summed {
  const random = randomFrom(seed);
  const weight = list(outputs, () => list(inputs, () => list(3, () => list(3, () => random.integer(-127, 127)))));
  const x = Uint8Array.from({ length: samples * inputs * size * size }, () => random.integer(0, 255));
  const layer = { op: 'conv2d', weight, stride: [1, 1], padding: [1, 1], dilation: [1, 1], groups: 1 };
  const codeAt = (sample: number, c: number, row: number, column: number) =>
    Math.min(row, column) < 0 || Math.max(row, column) >= size
      ? 0
      : x[((sample * inputs + c) * size + row) * size + column] - ZX;
  const factors: Summed['factors'] = (sample, channel, place) =>
    weight[channel].flatMap((taps, c) =>
      taps.flatMap((line, i) =>
        line.map((w, j) => [codeAt(sample, c, Math.floor(place / size) + i - 1, (place % size) + j - 1), w] as const),
      ),
    );
  const [shape, places] = [[inputs, size, size], size * size];
  return summed({ layer, shape, outputs, places, columns: size, x, samples, factors, random });
}

interface Made {
  readonly layer: Alone['layer'];
  readonly shape: readonly number[];
  readonly outputs: number;
  readonly places: number;
  readonly columns: number;
  readonly x: Uint8Array;
  readonly samples: number;
  readonly factors: Summed['factors'];
  readonly random: ReturnType<typeof randomFrom>;
}

function summed({ layer, shape, outputs, places, columns, x, samples, factors, random }: Made): Summed {
  const weightScale = list(outputs, () => Math.fround(0.002 + 0.002 * random.uniform()));
  const bias = list(outputs, () => Math.fround(random.normal()));
  const multipliers = weightScale.map((scale) => (SX * scale) / SY);
  return {
    alone: {
      producer: { framework: 'pytorch', kernel: 'numpy' },
      inputs: { x: { dtype: 'uint8', scale: SX, zero_point: ZX, shape } },
      layer: { ...layer, weight_scale: weightScale, bias, output: { dtype: 'uint8', scale: SY, zero_point: ZY } },
      values: { x },
      samples,
    },
    size: { channels: outputs, places, columns },
    scales: { input: SX, weights: weightScale, output: SY },
    bias,
    multipliers,
    biases: bias.map((b, n) => roundHalfEven(b / (SX * weightScale[n]))),
    factors,
  };
}

export type SumOf = (products: readonly number[], at: { sample: number; channel: number; place: number }) => number;

export const sumOf = (products: readonly number[]): number => products.reduce((sum, product) => sum + product, 0);
export const productsOf = (layer: Summed, sample: number, channel: number, place: number): number[] =>
  layer.factors(sample, channel, place).map(([x, w]) => x * w);

/** What a layer gives whose sums are added so. */
export function codesOf(layer: Summed, own: SumOf, round: (steps: number) => number = roundHalfEven): Int32Array {
  const { size, multipliers, biases, alone } = layer;
  const codes = new Int32Array(alone.samples * size.channels * size.places);
  for (let i = 0; i < codes.length; i++) {
    const [place, channel] = [i % size.places, Math.floor(i / size.places) % size.channels];
    const sample = Math.floor(i / (size.places * size.channels));
    const sum = own(productsOf(layer, sample, channel, place), { sample, channel, place });
    codes[i] = Math.min(255, Math.max(0, round((sum + biases[channel]) * multipliers[channel]) + ZY));
  }
  return codes;
}

/** What a layer gives whose real values, bias included, are these. */
export function codesOfReals(layer: Summed, real: (factors: ReturnType<Summed['factors']>, channel: number) => number) {
  return codesOf(
    { ...layer, biases: layer.biases.map(() => 0), multipliers: layer.multipliers.map(() => 1) },
    (_, at) => real(layer.factors(at.sample, at.channel, at.place), at.channel) / layer.scales.output,
  );
}

/** The causes that are named of a candidate, and the evidence of one; null: all is equal. */
export async function named(layer: Summed, values: NumericArray) {
  const diagnosis = await diagnosisOf(layer.alone, values);
  return diagnosis && { causes: diagnosis.causes, evidence: diagnosis.evidence };
}
