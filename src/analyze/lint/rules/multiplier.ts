import type { Severity } from '../../../documents/lint.js';
import { weightScaleOf } from '../../../kernels/steps/scales.js';
import type { Product } from '../../../nouns/kernel.js';
import { isQuantized } from '../../../nouns/value.js';
import { quantizeMultiplier } from '../../../numeric/fixedPoint.js';
import { INT32_MAX } from '../../../numeric/integer.js';
import type { MultiplierLimit } from '../evidence.js';
import { FIXED_POINT, limitedIn } from '../kernelGroups.js';
import { largestMagnitude } from '../range.js';
import type { Found, Rule } from '../rule.js';

/** XNNPACK refuses the multiplier; fixed-point arithmetic loses it, or shifts the accumulator out of int32. */
export const multiplierRange: Rule<'multiplier-range'> = {
  code: 'multiplier-range',
  ofChannel({ product, worst }, channel) {
    const multiplier = realMultiplier(product, channel);
    if (multiplier === null) return [];
    const found = finder(multiplier);
    const fixed = quantizeMultiplier(multiplier);
    const largest = largestMagnitude(worst.at(channel));
    const shiftsOut = fixed.exponent > 0 && largest * 2 ** fixed.exponent > INT32_MAX;
    return [
      ...(multiplier < 2 ** -32 || multiplier >= 256
        ? [found('error', limitedIn('multipliers beyond 2^-32..256'), { limit: 'xnnpack' })]
        : []),
      ...(fixed.multiplier === 0 ? [found('error', FIXED_POINT, { limit: 'fixed-point' })] : []),
      ...(shiftsOut ? [found('warning', FIXED_POINT, { limit: 'int32', exponent: fixed.exponent, largest })] : []),
    ];
  },
};

/** QNNPACK of older PyTorch releases wants a multiplier below 1. */
export const multiplierAtLeast1: Rule<'multiplier-at-least-1'> = {
  code: 'multiplier-at-least-1',
  ofChannel({ product }, channel) {
    const multiplier = realMultiplier(product, channel);
    if (multiplier === null || multiplier < 1) return [];
    return [{ severity: 'info', kernels: limitedIn('multipliers from 1 on'), evidence: { multiplier } }];
  },
};

/** s_x * s_w / s_y; null where nothing is requantized: a float output, or the sums themselves. */
function realMultiplier(product: Product, channel: number): number | null {
  const { input, output } = product;
  return isQuantized(output) && output.dtype !== 'int32'
    ? (input.scale * weightScaleOf(product, channel)) / output.scale
    : null;
}

function finder(multiplier: number) {
  return (severity: Severity, kernels: readonly string[], facts: MultiplierLimit): Found<'multiplier-range'> => ({
    severity,
    kernels,
    evidence: { multiplier },
    facts,
  });
}
