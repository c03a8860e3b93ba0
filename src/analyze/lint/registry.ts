import type { Rule } from './rule.js';
import { accumulatorAbove2To24, accumulatorOverflowsInt32 } from './rules/accumulator.js';
import { biasLostInFloat32, biasOverflowsInt32, biasRounding } from './rules/bias.js';
import { constantChannel, deadChannel } from './rules/constantChannel.js';
import { int16Saturation } from './rules/int16Saturation.js';
import { int16Wrap } from './rules/int16Wrap.js';
import { kernelDefect } from './rules/kernelDefect.js';
import { multiplierAtLeast1, multiplierRange } from './rules/multiplier.js';
import { reduceRangeExceeded } from './rules/reduceRangeExceeded.js';
import { unusedRange } from './rules/unusedRange.js';
import { weightZeroPoint } from './rules/weightZeroPoint.js';

/** In the document's order. Rules of one row are about one number: they are asked together, channel by channel. */
export const rules: readonly (readonly Rule[])[] = [
  [int16Saturation],
  [int16Wrap],
  [kernelDefect],
  [accumulatorOverflowsInt32, accumulatorAbove2To24],
  [multiplierRange, multiplierAtLeast1],
  [biasOverflowsInt32, biasLostInFloat32, biasRounding],
  [weightZeroPoint],
  [deadChannel, constantChannel],
  [unusedRange],
  [reduceRangeExceeded],
];
