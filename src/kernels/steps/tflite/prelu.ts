/** PRELU: code by code, the slope a code of its own. */
import type { TensorCall, TensorSteps } from '../../../nouns/kernel.js';
import { f32 } from '../../../numeric/float.js';
import { fillPairs, quantized } from '../call.js';
import { tensorSteps } from '../tensor.js';
import { BYTES, byMultiplier, codeOf, scaleOf } from './common.js';
import { doubles, float32Quotient, realOf } from './multiply.js';

function prelu(to: (real: number) => number, sloped: typeof doubles): TensorSteps {
  const run = (call: TensorCall) => {
    const params = [...call.inputs, call.output].map(quantized);
    const [x, slope, y] = params;
    const same = byMultiplier(to(scaleOf(x) / scaleOf(y)));
    const steep = byMultiplier(realOf(sloped, params));
    const code = codeOf(y, [y.quantMin, y.quantMax]);
    return fillPairs(call, (q, w) => {
      const d = q - x.zeroPoint;
      return code(d >= 0 ? same(d) : steep(d * (w - slope.zeroPoint)));
    });
  };
  const equation =
    'clamp(roundHalfAway(((p * m + 2^30) >> 31) / 2^-e) + zp), p = d < 0 ? d * dw : d, m * 2^(e-31) = sx / sy (d < 0: * sw)';
  return { ...tensorSteps(equation, run), codes: BYTES };
}

export const preluTflite = prelu(f32, float32Quotient);
export const preluMicro = prelu((real) => real, doubles);
