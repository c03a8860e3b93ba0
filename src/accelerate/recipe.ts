import { clampOfCodes } from '../kernels/steps/activation.js';
import type { Product, ProductSteps } from '../nouns/kernel.js';
import { CODE_RANGES } from '../nouns/value.js';
import { float32s } from '../numeric/array.js';
import { f32 } from '../numeric/float.js';

/** What follows the sums where a kernel's steps are all float32: the numbers of assembly's `storeCodes`, arrays one a channel. */
export interface Recipe {
  readonly biasInt32: Int32Array;
  readonly addend: Float32Array;
  /** Added with one rounding, in place of the addend. */
  readonly product: Float64Array | null;
  readonly inputScale: number;
  readonly channelScale: Float32Array;
  readonly realBias: Float32Array;
  readonly outputScale: number;
  readonly divides: boolean;
  readonly offsetBefore: number;
  readonly low: number;
  readonly high: number;
  /** What is larger becomes `low`. */
  readonly largest: number;
  readonly offsetAfter: number;
}

/** What it is made of, of a product; accumulators are others in each of a search's hypotheses. */
const PARTS = ['bias', 'multiplier', 'round', 'offsetAndClamp', 'bound', 'float'] as const;

interface Made {
  readonly steps: ProductSteps;
  readonly recipe: Recipe | null;
}

/** Of a wide layer some MB each. */
const MOST_KEPT = 8;
const made = new WeakMap<Product, Made[]>();

/** Null where a step is not of these forms, or the output is not 8-bit codes. A layer's codes are asked for piece by piece. */
export function recipeOf(steps: ProductSteps, product: Product): Recipe | null {
  const ofProduct = made.get(product) ?? [];
  made.set(product, ofProduct);
  let own = ofProduct.find((other) => PARTS.every((part) => other.steps[part] === steps[part]));
  if (!own) {
    own = { steps, recipe: makeRecipe(steps, product) };
    if (ofProduct.push(own) > MOST_KEPT) ofProduct.shift();
  }
  return own.recipe;
}

function makeRecipe(steps: ProductSteps, product: Product): Recipe | null {
  const { output, outFeatures, activation } = product;
  if (output.dtype !== 'uint8' && output.dtype !== 'int8') return null;
  const placement = steps.offsetAndClamp.fast;
  if (!placement || !steps.round.fast || steps.float) return null;
  const { zeroPoint } = output;
  const [low, high] = clampOfCodes(activation, output, steps.bound);
  const [least, most] = CODE_RANGES[output.dtype];
  const fits = least <= low && low <= high && high <= most;
  if (!fits || !Number.isInteger(zeroPoint) || Math.abs(zeroPoint) > 1024) return null;
  const factors = steps.multiplier.float32?.(product, output);
  const bias = steps.bias.prepare(product);
  if (!factors || (bias.unit === 'accumulator' && !bias.float32)) return null;
  if (bias.unit === 'real' && !(bias.values instanceof Float32Array)) return null;
  const added = bias.unit === 'accumulator' ? bias.float32 : null;
  const after = placement.zeroPointFirst ? 0 : zeroPoint;
  return {
    biasInt32: bias.unit === 'int32' ? bias.values : new Int32Array(outFeatures),
    addend: added?.addend ?? new Float32Array(outFeatures),
    product: added?.product ?? null,
    inputScale: factors.input,
    channelScale: factors.channel,
    realBias: bias.unit === 'real' ? float32s(bias.values, factors.bias) : new Float32Array(outFeatures),
    outputScale: factors.output,
    divides: factors.divides,
    offsetBefore: f32(zeroPoint - after),
    low: low - after,
    high: high - after,
    largest: placement.largest,
    offsetAfter: after,
  };
}
