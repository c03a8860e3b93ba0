/** y = a / b: times the reciprocal of b, 31 bits of it, by gemmlowp. */
import type { TensorSteps } from '../../../nouns/kernel.js';
import { multiplyHighQ31, quantizeMultiplier, roundingDivideByPot } from '../../../numeric/fixedPoint.js';
import { f32 } from '../../../numeric/float.js';
import { oneOverOnePlus } from '../../../numeric/gemmlowp.js';
import { fillPairs, quantized } from '../call.js';
import { tensorSteps } from '../tensor.js';
import { BYTES, clampOf, codeOf, scaleOf } from './common.js';

/** Of a whole number from 1 on: 1/x is raw * 2^-(31 + bits). */
function reciprocal(x: number): { readonly raw: number; readonly bits: number } {
  const leading = Math.clz32(x);
  return { raw: oneOverOnePlus(x * 2 ** leading - 2 ** 31, 32), bits: 31 - leading };
}

/**
 * Shifts of 32 and more, of quotients below half a step, count modulo 32, as the CPU does it: in place of 0 comes a number of up to
 * 31 bits, and those that are not negative get 1 more.
 */
function shifted(x: number, right: number): number {
  return right < 32 ? roundingDivideByPot(x, right) : (x >> right) + (x >= 0 ? 1 : 0);
}

export const divideTflite: TensorSteps = {
  ...tensorSteps(
    'clamp(roundHalfAway(da / db * m / 2^e) + zp), 1 / db and m in 31 bits, m of f32(sa / f32(sb * sy))',
    (call) => {
      const [a, b, y] = [...call.inputs, call.output].map(quantized);
      const { multiplier, exponent } = quantizeMultiplier(f32(scaleOf(a) / f32(scaleOf(b) * scaleOf(y))));
      const code = codeOf(y, clampOf(call, 'reference'));
      return fillPairs(call, (qa, qb) => {
        const [over, under] = [qa - a.zeroPoint, qb - b.zeroPoint];
        const { raw, bits } = reciprocal(Math.abs(under));
        const signed = under < 0 ? -over : over;
        const headroom = Math.clz32(signed >= 0 ? signed : -2 * signed - 1) - (signed >= 0 ? 1 : 0);
        const quotient = multiplyHighQ31(signed * 2 ** headroom, raw);
        return code(shifted(multiplyHighQ31(quotient, multiplier), headroom + bits - exponent));
      });
    },
  ),
  codes: BYTES,
};
