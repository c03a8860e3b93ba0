/** Dequantize, an op on floats, quantize: PT2E's reference of whatever has no form of its own. */

import type { QuantizeStep, TensorSteps } from '../../nouns/kernel.js';
import { isQuantized } from '../../nouns/value.js';
import { float32s } from '../../numeric/array.js';
import { clamp } from '../../numeric/integer.js';
import { clampOfCodes } from './activation.js';
import { boundedCodes, codesOf } from './bounded.js';
import { quantized } from './call.js';
import { dequantizeFloat32 } from './dequantize.js';

const FLOAT = { dtype: 'float32' } as const;

export function betweenCodes(floats: TensorSteps, quantize: QuantizeStep): TensorSteps {
  return {
    ...floats,
    equation: `quantize(${floats.equation})`,
    run(call) {
      const inputs = call.inputs.map((input) => {
        if (!isQuantized(input.params)) return input;
        return {
          ...input,
          params: FLOAT,
          data: float32s(input.data, dequantizeFloat32.prepare(input.params)),
        };
      });
      if (!isQuantized(call.output.params)) return floats.run({ ...call, inputs });
      const output = quantized(call.output);
      const reals = floats.run({ ...call, activation: 'none', inputs, output: { ...call.output, params: FLOAT } });
      const { data, low, high } = 'data' in reals ? reals : { data: reals, low: reals, high: reals };
      const [code, [lo, hi]] = [quantize.prepare(output), clampOfCodes(call.activation, output, quantize)];
      const limited = (real: number) => clamp(code(Math.fround(real)), lo, hi);
      return boundedCodes(data.length, (i) => codesOf({ low: low[i], near: data[i], high: high[i] }, limited));
    },
  };
}
