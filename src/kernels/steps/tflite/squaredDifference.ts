/** SQUARED_DIFFERENCE of int8: both in units of 2^-7 of twice the larger scale, their difference squared. */
import type { TensorSteps } from '../../../nouns/kernel.js';
import { f32 } from '../../../numeric/float.js';
import { fillPairs, quantized } from '../call.js';
import { tensorSteps } from '../tensor.js';
import { byMultiplier, codeOf, scaleOf } from './common.js';

const LEFT = 7;

export const squaredDifferenceTflite: TensorSteps = {
  ...tensorSteps(
    'clamp(roundHalfAway((ua - ub)^2 * mo / 2^eo) + zp), u = roundHalfAway((d << 7) * m / 2^e), m of s / (2 * max(sa, sb))',
    (call) => {
      const [a, b, y] = [...call.inputs, call.output].map(quantized);
      const twice = f32(2 * Math.max(scaleOf(a), scaleOf(b)));
      const [ofA, ofB] = [a, b].map((own) => byMultiplier(scaleOf(own) / twice));
      const squared = byMultiplier((twice * twice) / f32(2 ** (2 * LEFT) * scaleOf(y)));
      const code = codeOf(y, [y.quantMin, y.quantMax]);
      return fillPairs(call, (qa, qb) => {
        const difference = ofA((qa - a.zeroPoint) * 2 ** LEFT) - ofB((qb - b.zeroPoint) * 2 ** LEFT);
        return code(squared(difference * difference));
      });
    },
  ),
  codes: ['int8'],
};
