/** ONNX Runtime's means on codes. sx, sy: scales; d: centred codes. */
import type { AdaptivePoolAttributes, AveragePoolAttributes } from '../../nouns/attributes.js';
import type { TensorCall, TensorSteps } from '../../nouns/kernel.js';
import type { QuantParams } from '../../nouns/value.js';
import { f32 } from '../../numeric/float.js';
import { clamp } from '../../numeric/integer.js';
import { roundHalfEven } from '../../numeric/round.js';
import { wholeCovers, windowCovers } from '../../tensor/covers.js';
import { sameDims, sizeOf } from '../../tensor/shape.js';
import { quantized } from './call.js';
import { dequantizeFloat32 } from './dequantize.js';
import { asRun } from './onnxRuntime.js';
import { type Covered, imageOf, overWindows, placesOf, sumOf } from './pool.js';
import { tensorSteps } from './tensor.js';

/** sum: of centred codes of one channel. */
function meanOf(output: QuantParams, input: QuantParams, count: number): (sum: number) => number {
  const multiplier = f32(f32(input.scale) / f32(f32(output.scale) * f32(count)));
  const { zeroPoint, quantMin, quantMax } = output;
  return (sum) =>
    roundHalfEven(clamp(f32(f32(sum) * multiplier), quantMin - zeroPoint, quantMax - zeroPoint)) + zeroPoint;
}

function globalAverage(call: TensorCall): Int32Array {
  const { params, shape } = imageOf(call);
  const input = quantized({ params });
  const places = placesOf(shape);
  const code = meanOf(quantized(call.output), input, sizeOf(places));
  return overWindows(call, wholeCovers(places), (covered) => code(sumOf(covered) - input.zeroPoint * sizeOf(places)));
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
  const places = placesOf(input.shape);
  const isWhole = sameDims(window.kernel, places) && window.padding.every((ends) => ends[0] + ends[1] === 0);
  if (isWhole) return globalAverage(call);
  const output = quantized(call.output);
  const real = dequantizeFloat32.prepare(quantized(input));
  const meanIn = ({ cover, code }: Covered) => {
    let sum = 0;
    for (let i = 0; i < cover.places.length; i++) sum = f32(sum + real(code(i)));
    const mean = f32(sum / (divisor ?? sizeOf(countIncludePad ? window.kernel : cover.inside)));
    return f32(mean / f32(output.scale));
  };
  const codes = (shift: number) =>
    overWindows(call, windowCovers(window, places), (covered) =>
      clamp(roundHalfEven(f32(meanIn(covered) + output.zeroPoint + shift)) - shift, output.quantMin, output.quantMax),
    );
  return asRun(call, codes);
});

export const averagePoolOnnxRuntime: TensorSteps = {
  ...averagePool,
  lacks: ({ attributes }) => ((attributes as AveragePoolAttributes).divisor === null ? null : 'a divisor of its own'),
};
