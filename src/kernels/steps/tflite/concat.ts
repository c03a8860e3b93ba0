/** CONCATENATION: codes are copied; uint8 ones of other parameters than the output's are rescaled in float32. */

import type { AxisAttributes } from '../../../nouns/attributes.js';
import type { TensorSteps } from '../../../nouns/kernel.js';
import type { QuantParams } from '../../../nouns/value.js';
import { int32s } from '../../../numeric/array.js';
import { f32 } from '../../../numeric/float.js';
import { clamp } from '../../../numeric/integer.js';
import { floor, roundHalfAway } from '../../../numeric/round.js';
import { sizeOf } from '../../../tensor/shape.js';
import { quantized, rememberedOf } from '../call.js';
import { axisIn, joined } from '../concat.js';
import { tensorSteps, withoutActivation } from '../tensor.js';
import { BYTES_AND_INT16, scaleOf } from './common.js';

function codeOf(input: QuantParams, output: QuantParams): (q: number) => number {
  const isKept = input.zeroPoint === output.zeroPoint && scaleOf(input) === scaleOf(output);
  if (output.dtype !== 'uint8' || isKept) return (q) => q;
  const ratio = f32(scaleOf(input) * f32(1 / scaleOf(output)));
  const offset = f32(f32(-input.zeroPoint) * ratio);
  return (q) => clamp(roundHalfAway(f32(f32(q * ratio) + offset)) + output.zeroPoint, 0, 255);
}

/** PACK: codes as they are, of the parameters of the first. */
export const stackTflite: TensorSteps = {
  ...tensorSteps('q', ({ attributes, inputs, output, samples }) => {
    const { dims } = inputs[0].shape;
    const { dim } = attributes as AxisAttributes;
    const inner = sizeOf(dims.slice(dim < 0 ? dim + dims.length + 1 : dim - 1));
    const count = inputs.length;
    return int32s({ length: samples * sizeOf(output.shape.dims) }, (_, i) => {
      const row = floor(i / inner);
      return inputs[row % count].data[floor(row / count) * inner + (i % inner)];
    });
  }),
  codes: BYTES_AND_INT16,
  keepsScale: true,
};

export const concatTflite: TensorSteps = withoutActivation({
  ...tensorSteps(
    'q; uint8 of other parameters roundHalfAway(f32(q * g) + f32(-z * g)) + zp, g = f32(s * f32(1 / sy))',
    (call) =>
      joined(call, axisIn(call), (input) => {
        const params = quantized(input);
        return rememberedOf(input, codeOf(params, quantized(call.output)));
      }),
  ),
  codes: BYTES_AND_INT16,
  keepsScale: ['int8', 'int16'],
});
