import { weightScaleOf } from '../../../kernels/steps/scales.js';
import { isQuantized } from '../../../nouns/value.js';
import { INT32_MAX, INT32_MIN } from '../../../numeric/integer.js';
import { BIAS_IN_FLOAT32, INT32_BIAS } from '../kernelGroups.js';
import type { Rule } from '../rule.js';
import type { Subject } from '../subject.js';

/** A bias clamped at int32 has lost more than the other two rules could say. */
export const biasOverflowsInt32: Rule<'bias-overflows-int32'> = {
  code: 'bias-overflows-int32',
  ofChannel(subject, channel) {
    const evidence = floatBias(subject, channel);
    return evidence && !fitsInt32(evidence) ? [{ severity: 'error', kernels: INT32_BIAS, evidence }] : [];
  },
};

/** FBGEMM adds the bias to f32(acc): above 2^24 the sum is no longer exact. */
export const biasLostInFloat32: Rule<'bias-lost-in-float32'> = {
  code: 'bias-lost-in-float32',
  ofChannel(subject, channel) {
    const evidence = floatBias(subject, channel);
    if (!evidence || !fitsInt32(evidence) || Math.abs(evidence.accumulator_units) < 2 ** 24) return [];
    return [{ severity: 'warning', kernels: BIAS_IN_FLOAT32, evidence }];
  },
};

/** Half an accumulator unit can be more than half a step of the output. */
export const biasRounding: Rule<'bias-rounding'> = {
  code: 'bias-rounding',
  ofChannel(subject, channel) {
    const evidence = floatBias(subject, channel);
    if (!evidence || !fitsInt32(evidence)) return [];
    const steps = stepsLost(subject, channel);
    return steps > 0.5 ? [{ severity: 'warning', kernels: INT32_BIAS, evidence: { ...evidence, steps } }] : [];
  },
};

/** null where the file has no bias, or has it in int32 already. */
function floatBias({ product, bias: units }: Subject, channel: number) {
  return product.bias && { bias: product.bias[channel], accumulator_units: units[channel] };
}

function fitsInt32({ accumulator_units: units }: { readonly accumulator_units: number }): boolean {
  return units >= INT32_MIN && units <= INT32_MAX;
}

/** What rounding the bias to accumulator units moves, in steps of the output. */
function stepsLost({ product, bias: units }: Subject, channel: number): number {
  const { input, output, bias } = product;
  if (!bias || !isQuantized(output)) return 0;
  const scale = input.scale * weightScaleOf(product, channel);
  return Math.abs(bias[channel] - scale * units[channel]) / output.scale;
}
