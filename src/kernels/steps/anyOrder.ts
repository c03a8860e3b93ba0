/** Operators as ONNX's text defines them: dequantize, compute in float32 in whatever order, quantize. Where the order decides, codes have bounds. */
import type { AveragePoolAttributes, AxisAttributes } from '../../nouns/attributes.js';
import type { TensorSteps } from '../../nouns/kernel.js';
import type { Computed, TensorCall } from '../../nouns/tensorCall.js';
import { largestOf } from '../../numeric/extremes.js';
import { f32, float32Beside } from '../../numeric/float.js';
import { axisOf, checkedAxes } from '../../tensor/axes.js';
import { type Covers, wholeCovers } from '../../tensor/covers.js';
import { reducedAxes } from '../../tensor/reduced.js';
import { positionDims, sizeOf } from '../../tensor/shape.js';
import { boundedCodes, boundOfSum, codesOf, type Near, nearFunctions } from './bounded.js';
import { quantized } from './call.js';
import { dequantizeFloat32 } from './dequantize.js';
import { imageOf, poolCovers } from './pool.js';
import { quantizeDivision } from './quantize.js';
import { tensorSteps } from './tensor.js';
import { boundedOverRows } from './windowRows.js';

export const sigmoidInFloat = tensorSteps('quantize(1 / (1 + exp(-x)))', ({ inputs: [input], output }) => {
  const [real, code] = [dequantizeFloat32.prepare(quantized(input)), quantizeDivision.prepare(quantized(output))];
  const known = new Map<number, Near>();
  const near = (x: number) => {
    const sigmoid = 1 / (1 + Math.exp(-real(x)));
    return codesOf(
      nearFunctions((round) => round(sigmoid)),
      code,
    );
  };
  return boundedCodes(input.data.length, (i) => {
    const x = input.data[i];
    const found = known.get(x) ?? near(x);
    known.set(x, found);
    return found;
  });
});

/** Of exponentials that are right within two float32 steps, summed in any order. */
export const softmaxInFloat: TensorSteps = tensorSteps('quantize(exp(x) / sum of exp(x)) in float32', (call) => {
  const [input] = call.inputs;
  const axis = checkedAxes(axisOf((call.attributes as AxisAttributes).dim, input.shape));
  const { first, step, count, size } = reducedAxes(input.shape.dims, [axis]);
  const all = sizeOf(input.shape.dims);
  const [real, code] = [dequantizeFloat32.prepare(quantized(input)), quantizeDivision.prepare(quantized(call.output))];
  const [exact, line] = [new Float64Array(call.samples * all), new Float64Array(count)];
  for (let row = 0; row < call.samples * size; row++) {
    const start = Math.floor(row / size) * all + first[row % size];
    for (let k = 0; k < count; k++) line[k] = real(input.data[start + step[k]]);
    const max = largestOf(line);
    let sum = 0;
    for (let k = 0; k < count; k++) sum += line[k] = Math.exp(line[k] - max);
    for (let k = 0; k < count; k++) exact[start + step[k]] = line[k] / sum;
  }
  const relative = (count + 16) * 2 ** -24;
  return boundedCodes(exact.length, (i) =>
    codesOf({ low: exact[i] * (1 - relative), near: f32(exact[i]), high: exact[i] * (1 + relative) }, code),
  );
});

export const averagePoolInFloat: TensorSteps = {
  ...tensorSteps('quantize(sum of sx * d / n), float32 in any order', (call) => {
    const { window, countIncludePad, divisor } = call.attributes as AveragePoolAttributes;
    return meansOf(call, poolCovers(call), divisor ?? (countIncludePad ? sizeOf(window.kernel) : null));
  }),
};

/** Over all places. */
export const globalAveragePoolInFloat: TensorSteps = tensorSteps(
  'quantize(sum of sx * d / n), float32 in any order',
  (call) => {
    const places = positionDims(imageOf(call).shape);
    return meansOf(call, wholeCovers(places), sizeOf(places));
  },
);

/** cells: that a sum is divided by; null: those inside the image. */
function meansOf(call: TensorCall, covers: Covers, cells: number | null): Computed {
  const code = quantizeDivision.prepare(quantized(call.output));
  return boundedOverRows(call, covers, code, ({ count, sums, magnitudes, inside }, { low, near, high }) => {
    for (let n = 0; n < count; n++) {
      const bound = boundOfSum(inside[n]) * magnitudes[n];
      const by = cells ?? inside[n];
      low[n] = float32Beside(f32((sums[n] - bound) / by), -2);
      near[n] = sums[n] / by;
      high[n] = float32Beside(f32((sums[n] + bound) / by), 2);
    }
  });
}
