/** Means whose sums are rounded at the output's scale before they are divided: TFLite's MEAN before 2.10 (tensorflow/tflite-micro#1461). */
import { clampOfCodes } from '../../kernels/steps/activation.js';
import { fill, quantized } from '../../kernels/steps/call.js';
import { quantizeTwoRoundings } from '../../kernels/steps/quantize.js';
import type { TensorSteps } from '../../nouns/kernel.js';
import {
  multiplyByFixedPointDoubleRounding,
  multiplyByFixedPointSingleRounding,
  quantizeMultiplier,
} from '../../numeric/fixedPoint.js';
import { clamp } from '../../numeric/integer.js';
import { roundHalfEven, roundHalfUp, truncate } from '../../numeric/round.js';
import type { TensorStudy } from '../study/study.js';
import { meanOfCodes } from './meanRules.js';

const SCALED_SUMS: readonly (readonly [string, (sum: number, factor: number) => number])[] = [
  ['rint, in float64,', (sum, factor) => roundHalfEven(sum * factor)],
  ['an int32 multiplier', (sum, factor) => multiplyByFixedPointSingleRounding(sum, quantizeMultiplier(factor))],
  [
    'an int32 multiplier, rounded twice,',
    (sum, factor) => multiplyByFixedPointDoubleRounding(sum, quantizeMultiplier(factor)),
  ],
];

/** Scripts that round the sum of a window at the output's scale, and divide that as C does (TFLite before 2.10). */
export function scriptsScalingSum(study: TensorStudy): TensorSteps[] {
  const { integers } = meanOfCodes(study) ?? {};
  if (!integers) return [];
  return SCALED_SUMS.map(([by, scaled]) => ({
    kind: 'tensor',
    equation: `trunc((s +- n / 2) / n) of s, the sum times sx / sy by ${by} then + zp`,
    run(call) {
      const [from, to] = [quantized(call.inputs[0]), quantized(call.output)];
      const apply = (mean: number, n: number) => {
        const sum = scaled(roundHalfUp(mean * n), from.scale / to.scale);
        return truncate((sum + (sum > 0 ? truncate(n / 2) : -truncate(n / 2))) / n);
      };
      const mean = integers(call, { equation: 'trunc((s +- n / 2) / n)', apply });
      const [lo, hi] = clampOfCodes(call.activation, to, quantizeTwoRoundings);
      return fill(call, (i) => clamp(mean(i) + to.zeroPoint, lo, hi));
    },
  }));
}
