/** BATCH_MATMUL of TFLite's runtimes in C. */
import { matmulPlaces } from '../../kernels/steps/tflite/matmul.js';
import { float32Quotient, realOf } from '../../kernels/steps/tflite/multiply.js';
import type { TensorCall } from '../../nouns/kernel.js';
import type { QuantParams } from '../../nouns/value.js';
import { quantizeMultiplier } from '../../numeric/fixedPoint.js';
import { floatText, pair, paramsOf, type ValueInC, type Writer } from './writer.js';

/** scaled: `sum` to steps of the output. */
function ofSums(call: TensorCall, params: readonly QuantParams[], zeroB: number, scaled: string): ValueInC {
  const { a, b, inner, depth } = matmulPlaces(call);
  const output = params[2];
  const at = (id: string, operand: 0 | 1) => `x${operand}[${id}_from_${operand}[i] + k * ${inner[operand]}]`;
  return {
    arrays: [
      { name: 'from_0', values: a },
      { name: 'from_1', values: b },
    ],
    lines: (id) => [
      '  int64_t sum = 0;',
      `  for (int k = 0; k < ${depth}; k++)`,
      `    sum += (int64_t)(${at(id, 0)} - (${params[0].zeroPoint})) * (${at(id, 1)} - (${zeroB}));`,
      `  code = ${scaled} + (${output.zeroPoint});`,
    ],
    clamp: [output.quantMin, output.quantMax],
  };
}

/** real: the multiplier as the runtime makes it. */
export const matmulInC =
  (real: (a: number, b: number, y: number) => number, bytes = 'by_multiplier'): Writer =>
  (call) => {
    const params = paramsOf(call);
    const multiplier = pair(quantizeMultiplier(realOf(real, params)));
    const scaled =
      params[2].dtype === 'int16' ? `by_short_multiplier(sum, ${multiplier})` : `${bytes}(wrap32(sum), ${multiplier})`;
    return ofSums(call, params, params[1].zeroPoint, scaled);
  };

export const matmulXnnpackInC =
  (ignoresZeroPoint: boolean): Writer =>
  (call) => {
    const params = paramsOf(call);
    const scaled = `to_integer(multiply(rounded(wrap32(sum), 0), ${floatText(realOf(float32Quotient, params))}))`;
    return ofSums(call, params, ignoresZeroPoint ? 0 : params[1].zeroPoint, scaled);
  };
