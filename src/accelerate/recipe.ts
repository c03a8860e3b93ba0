import { clampRoundOffset, offsetClampRound, packInt16, roundThenOffset } from '../kernels/steps/offsetAndClamp.js';
import { halfEven } from '../kernels/steps/round.js';
import type { OffsetAndClampStep, Product, ProductSteps } from '../nouns/kernel.js';
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

const LARGEST_INT32_AS_FLOAT32 = 2 ** 31 - 128;

/** Whether the zero point comes before rounding, and what is too large to be converted. */
const placements: ReadonlyMap<OffsetAndClampStep, { offsetFirst: boolean; largest: number }> = new Map([
  // int16 saturation shows in no code of 8 bits: 32767 + zero_point is beyond `high` anyway
  [packInt16, { offsetFirst: false, largest: LARGEST_INT32_AS_FLOAT32 }],
  [roundThenOffset, { offsetFirst: false, largest: Number.POSITIVE_INFINITY }],
  [clampRoundOffset, { offsetFirst: false, largest: Number.POSITIVE_INFINITY }],
  [offsetClampRound, { offsetFirst: true, largest: Number.POSITIVE_INFINITY }],
]);

const RANGES = { uint8: [0, 255], int8: [-128, 127] } as const;

/** Null where a step is not of these forms, or the output is not 8-bit codes. */
export function recipeOf(steps: ProductSteps, product: Product): Recipe | null {
  const { output, outFeatures, activation } = product;
  if (output.dtype !== 'uint8' && output.dtype !== 'int8') return null;
  const placement = placements.get(steps.offsetAndClamp);
  if (!placement || steps.round !== halfEven || steps.float) return null;
  const { zeroPoint, quantMin, quantMax } = output;
  const low = activation === 'relu' ? Math.max(quantMin, zeroPoint) : quantMin;
  const [least, most] = RANGES[output.dtype];
  const fits = least <= low && low <= quantMax && quantMax <= most;
  if (!fits || !Number.isInteger(zeroPoint) || Math.abs(zeroPoint) > 1024) return null;
  const factors = steps.multiplier.float32?.(product, output);
  const bias = steps.bias.prepare(product);
  if (!factors || (bias.unit === 'accumulator' && !bias.float32)) return null;
  if (bias.unit === 'real' && !(bias.values instanceof Float32Array)) return null;
  const added = bias.unit === 'accumulator' ? bias.float32 : null;
  const after = placement.offsetFirst ? 0 : zeroPoint;
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
    high: quantMax - after,
    largest: placement.largest,
    offsetAfter: after,
  };
}
