/** ONNX Runtime's means on codes. sx, sy: scales; d: centred codes. */
import type { AdaptivePoolAttributes, AveragePoolAttributes } from '../../nouns/attributes.js';
import type { TensorCall, TensorSteps } from '../../nouns/kernel.js';
import type { QuantParams } from '../../nouns/value.js';
import { int32s } from '../../numeric/array.js';
import { f32 } from '../../numeric/float.js';
import { clamp } from '../../numeric/integer.js';
import { roundHalfEven } from '../../numeric/round.js';
import { windowCovers } from '../../tensor/covers.js';
import { positionDims, sameDims, sizeOf } from '../../tensor/shape.js';
import { quantized, roomForCodes } from './call.js';
import { dequantized } from './dequantize.js';
import { asRun } from './onnxRuntime.js';
import { imageOf, sumsOfChannels } from './pool.js';
import { tensorSteps } from './tensor.js';
import { eachRowOfWindows } from './windowRows.js';

/** sum: of centred codes of one channel. */
function meanOf(output: QuantParams, input: QuantParams, count: number): (sum: number) => number {
  const multiplier = f32(f32(input.scale) / f32(f32(output.scale) * f32(count)));
  const { zeroPoint, quantMin, quantMax } = output;
  return (sum) =>
    roundHalfEven(clamp(f32(f32(sum) * multiplier), quantMin - zeroPoint, quantMax - zeroPoint)) + zeroPoint;
}

function globalAverage(call: TensorCall): Int32Array {
  const input = imageOf(call);
  const places = positionDims(input.shape);
  const code = meanOf(quantized(call.output), quantized(input), sizeOf(places));
  const offset = quantized(input).zeroPoint * sizeOf(places);
  return int32s(sumsOfChannels(input), (sum) => code(sum - offset));
}

/** Over all places; ONNX has no other adaptive mean. */
export const globalAveragePoolOnnxRuntime: TensorSteps = {
  ...tensorSteps('rint(sum of d * (sx / (sy * n))) + zp', globalAverage),
  lacks: ({ attributes }) =>
    (attributes as AdaptivePoolAttributes).size.every((places) => places === 1) ? null : 'more than one place',
};

/** One window over the whole image is a global mean. */
const averagePool: TensorSteps = tensorSteps('rint((sum of sx * d, tap by tap in float32) / n / sy + zp)', (call) => {
  const { window, countIncludePad, divisor } = call.attributes as AveragePoolAttributes;
  const input = imageOf(call);
  const places = positionDims(input.shape);
  const isWhole = sameDims(window.kernel, places) && window.padding.every((ends) => ends[0] + ends[1] === 0);
  if (isWhole) return globalAverage(call);
  const output = quantized(call.output);
  const { zeroPoint, quantMin, quantMax } = output;
  const scale = f32(output.scale);
  const cells = divisor ?? (countIncludePad ? sizeOf(window.kernel) : null);
  const codesOf = (shift: number) => {
    const codes = roomForCodes(call);
    eachRowOfWindows(call, windowCovers(window, places), dequantized(input), Float32Array, (row) => {
      const { from, count, sums, inside } = row;
      for (let n = 0; n < count; n++) {
        const steps = f32(f32(sums[n] / (cells ?? inside[n])) / scale);
        codes[from + n] = clamp(roundHalfEven(f32(steps + zeroPoint + shift)) - shift, quantMin, quantMax);
      }
    });
    return codes;
  };
  return asRun(call, codesOf);
});

export const averagePoolOnnxRuntime: TensorSteps = {
  ...averagePool,
  lacks: ({ attributes }) => ((attributes as AveragePoolAttributes).divisor === null ? null : 'a divisor of its own'),
};
