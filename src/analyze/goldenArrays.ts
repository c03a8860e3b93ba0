/** The arrays of a layer's golden vectors, in the order of the files. */

import { nearestInt32Bias } from '../kernels/steps/int32Bias.js';
import type { NumericArray } from '../nouns/array.js';
import type { Product, ProductSteps } from '../nouns/kernel.js';
import type { LayerShapes, QuantParams } from '../nouns/value.js';
import type { PlacedPatch } from '../nouns/window.js';
import { int32s } from '../numeric/array.js';
import { weightZeroPointOf } from '../products/exactSums.js';
import { multipliersOf } from './constants.js';
import type { Recipe } from './explain/recipe.js';

export interface GoldenArray {
  /** `LAYER.input`, `LAYER.weight` ... */
  readonly name: string;
  /** The capture's name of the same value; null for constants. */
  readonly value: string | null;
  readonly shape: readonly number[];
  readonly data: NumericArray;
}

export function codesFor({ dtype }: QuantParams, length: number): CodeArray {
  return new CODES[dtype](length);
}

const CODES = { uint8: Uint8Array, int8: Int8Array, int16: Int16Array, uint16: Uint16Array, int32: Int32Array };
type CodeArray = InstanceType<(typeof CODES)[keyof typeof CODES]>;

export type GoldenProduct = Product & { readonly output: QuantParams };

/** What a kernel read, used and gave. Values have the shape of the layer's, the samples in front; weights that of model.json. */
export function arraysOf(
  layer: string,
  samples: number,
  { inputs: [read, second], output: made }: LayerShapes,
  product: GoldenProduct,
  steps: ProductSteps,
  recipe: Recipe,
  values: {
    readonly input: NumericArray;
    /** Codes of a second value. */
    readonly added: NumericArray | null;
    readonly output: NumericArray;
    readonly accumulator: Int32Array;
  },
): GoldenArray[] {
  const { outFeatures } = product;
  const { input, added, output, accumulator } = values;
  const biasInt32 = recipe.biasInt32 ?? nearestInt32Bias(product);
  const at = (name: string, value: string | null, shape: readonly number[], data: NumericArray): GoldenArray => ({
    name: `${layer}.${name}`,
    value,
    shape,
    data,
  });
  const perChannel = [outFeatures];
  const zeroPoints = int32s({ length: outFeatures }, (_, n) => weightZeroPointOf(product, n));
  return [
    at('input', `${layer}.input`, [samples, ...read.dims], input),
    ...(added ? [at('input_1', null, [samples, ...second.dims], added)] : []),
    at('weight', null, weightDims(product), weightCodes(product)),
    at('weight_zero_point', null, perChannel, zeroPoints),
    at('bias_int32', null, perChannel, biasInt32),
    ...(recipe.biasInt32 || !product.bias ? [] : [at('bias_float32', null, perChannel, product.bias)]),
    ...multiplierArrays(steps, product).map(([name, data]) => at(name, null, perChannel, data)),
    at('accumulator', null, [samples, ...made.dims], accumulator),
    at('output', layer, [samples, ...made.dims], output),
  ];
}

/** [out, in], of a convolution [out, in / groups, ...kernel], of a transposed one [in, out / groups, ...kernel]. */
function weightDims({ outFeatures, inFeatures, patch }: Product): number[] {
  if (!patch) return [outFeatures, inFeatures];
  const { window, groups, inChannels, outChannels } = patch;
  const pair = window.transposed ? [inChannels * groups, outChannels] : [outFeatures, inChannels];
  return [...pair, ...window.kernel];
}

function weightCodes({ weight, weightDtype, patch }: Product): Int8Array | Uint8Array {
  const codes = patch ? asInFile(weight, patch) : weight;
  return weightDtype === 'uint8' ? Uint8Array.from(codes) : Int8Array.from(codes);
}

/** Rows [out, taps, in / groups] as model.json has them. */
function asInFile(rows: Product['weight'], { window, groups, inChannels, outChannels, taps: { taps } }: PlacedPatch) {
  const stored = rows.slice();
  for (let out = 0, at = 0; out < groups * outChannels; out++) {
    const [group, own] = [Math.floor(out / outChannels), out % outChannels];
    for (let tap = 0; tap < taps; tap++) {
      for (let c = 0; c < inChannels; c++, at++) {
        const pair = window.transposed ? (group * inChannels + c) * outChannels + own : out * inChannels + c;
        stored[pair * taps + tap] = rows[at];
      }
    }
  }
  return stored;
}

function multiplierArrays(steps: ProductSteps, product: GoldenProduct): [string, NumericArray][] {
  const multipliers = multipliersOf(steps, product);
  if (multipliers.float32) return [['multiplier_float32', multipliers.float32]];
  return [
    ['multiplier_int32', multipliers.int32],
    ['shift', multipliers.shift],
  ];
}
