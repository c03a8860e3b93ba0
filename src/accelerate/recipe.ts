import { clampOfCodes } from '../kernels/steps/activation.js';
import type { Product, ProductSteps } from '../nouns/kernel.js';
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

/** Of parts that have one each: their channels side by side; null where one has none, or another arithmetic. */
export function together(recipes: readonly (Recipe | null)[]): Recipe | null {
  const [first] = recipes;
  if (!first || recipes.length === 1) return first;
  const { biasInt32, addend, product, channelScale, realBias, ...shared } = first;
  const isAlike = (recipe: Recipe | null): recipe is Recipe =>
    recipe !== null &&
    (recipe.product === null) === (product === null) &&
    Object.entries(shared).every(([name, value]) => Object.is(recipe[name as keyof Recipe], value));
  if (!recipes.every(isAlike)) return null;
  const all = <A extends Int32Array | Float32Array | Float64Array>(like: A, of: (own: Recipe) => A): A => {
    const joined = new (like.constructor as new (length: number) => A)(recipes.length * like.length);
    for (const [i, own] of recipes.entries()) joined.set(of(own!), i * like.length);
    return joined;
  };
  return {
    ...shared,
    biasInt32: all(biasInt32, (own) => own.biasInt32),
    addend: all(addend, (own) => own.addend),
    product: product && all(product, (own) => own.product!),
    channelScale: all(channelScale, (own) => own.channelScale),
    realBias: all(realBias, (own) => own.realBias),
  };
}

const RANGES = { uint8: [0, 255], int8: [-128, 127] } as const;

/** Null where a step is not of these forms, or the output is not 8-bit codes. */
export function recipeOf(steps: ProductSteps, product: Product): Recipe | null {
  const { output, outFeatures, activation } = product;
  if (output.dtype !== 'uint8' && output.dtype !== 'int8') return null;
  const placement = steps.offsetAndClamp.fast;
  if (!placement || !steps.round.fast || steps.float) return null;
  const { zeroPoint } = output;
  const [low, high] = clampOfCodes(activation, output, steps.bound);
  const [least, most] = RANGES[output.dtype];
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
    realBias: bias.unit === 'real' ? Float32Array.from(bias.values, factors.bias) : new Float32Array(outFeatures),
    outputScale: factors.output,
    divides: factors.divides,
    offsetBefore: f32(zeroPoint - after),
    low: low - after,
    high: high - after,
    largest: placement.largest,
    offsetAfter: after,
  };
}
