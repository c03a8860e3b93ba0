/** Means over axes; the output has the input's scale. */

import type { ReduceAttributes } from '../../nouns/attributes.js';
import type { Computed, QuantizeStep, TensorCall, TensorSteps } from '../../nouns/kernel.js';
import { int32s } from '../../numeric/array.js';
import { f32 } from '../../numeric/float.js';
import { clamp, convertToInt32 } from '../../numeric/integer.js';
import { roundHalfEven } from '../../numeric/round.js';
import { axesOf, checkedAxes } from '../../tensor/axes.js';
import { type Reduced, reducedAxes } from '../../tensor/reduced.js';
import { sameDims, sizeOf } from '../../tensor/shape.js';
import { isChannelsLast, isContiguous } from '../../tensor/strides.js';
import { boundedCodes, codesOf, sumInAnyOrder } from './bounded.js';
import { quantized } from './call.js';
import { dequantizeFloat32 } from './dequantize.js';
import { sumOfColumn, sumOfRow } from './floatSum.js';
import { quantizeDecomposed, quantizeFma } from './quantize.js';
import { ofInputScale, tensorSteps } from './tensor.js';

/** The innermost axes of a contiguous tensor: of raw codes. Any other: floats, in ATen's order where that is known. */
export const meanAten: TensorSteps = ofInputScale(
  'rint(sum of codes / n) over the innermost axes; otherwise quantize(float32 mean)',
  (call) => {
    const [input] = call.inputs;
    const axes = axesIn(call);
    const rank = input.shape.dims.length;
    const isInner = axes.every((axis, i) => axis === rank - axes.length + i);
    if (isInner && isContiguous(input)) return meanOfCodes(call);
    const sum = knownOrder(call);
    return sum ? meanInOrder(call, sum) : meanInAnyOrder(quantizeFma).run(call);
  },
);

/** QNNPACK over height and width of uint8 images, asked for as [2, 3]; ATen's code elsewhere, for [-2, -1] and [3, 2] too. */
export const meanQnnpack: TensorSteps = {
  ...meanAten,
  run(call) {
    const [{ shape, params }] = call.inputs;
    const { dim } = call.attributes as ReduceAttributes;
    const isTaken = params.dtype === 'uint8' && shape.dims.length === 3 && sameDims(dim, [2, 3]);
    return isTaken ? meanOfCentred(call) : meanAten.run(call);
  },
};

/** Floats in any order: PT2E's reference graph. */
export function meanInAnyOrder(quantize: QuantizeStep): TensorSteps {
  return tensorSteps('quantize(sum of sx * d / n), float32 in any order', (call): Computed => {
    const reduced = reducedOf(call);
    const { count, size } = reduced;
    const real = dequantizeFloat32.prepare(quantized(call.inputs[0]));
    const nearOf = (i: number) => {
      const x = termsOf(call, reduced, i);
      let [sum, magnitudes] = [0, 0];
      for (let k = 0; k < count; k++) {
        sum += real(x(k));
        magnitudes += Math.abs(real(x(k)));
      }
      const { low, near, high } = sumInAnyOrder(sum, magnitudes, count);
      return { low: f32(low / count), near: f32(f32(near) / count), high: f32(high / count) };
    };
    const code = quantize.prepare(quantized(call.output));
    return boundedCodes(call.samples * size, (i) => codesOf(nearOf(i), code));
  });
}

function axesIn({ inputs: [{ shape }], attributes }: TensorCall): readonly number[] {
  return checkedAxes(axesOf((attributes as ReduceAttributes).dim, shape));
}

function reducedOf(call: TensorCall): Reduced {
  return reducedAxes(call.inputs[0].shape.dims, axesIn(call));
}

/** The codes that one element of the output is the mean of, in C order. */
function termsOf({ inputs: [{ data, shape }] }: TensorCall, { first, step, size }: Reduced, element: number) {
  const start = Math.floor(element / size) * sizeOf(shape.dims) + first[element % size];
  return (k: number) => data[start + step[k]];
}

function meanOfCodes(call: TensorCall): Int32Array {
  const { count, ...reduced } = reducedOf(call);
  const { quantMin, quantMax } = quantized(call.inputs[0]);
  return int32s({ length: call.samples * reduced.size }, (_, i) => {
    const sum = integerSum(termsOf(call, { count, ...reduced }, i), count);
    return clamp(roundHalfEven(f32(f32(sum) / count)), quantMin, quantMax);
  });
}

function meanOfCentred(call: TensorCall): Int32Array {
  const reduced = reducedOf(call);
  const { count, size } = reduced;
  const { scale, zeroPoint, quantMin, quantMax } = quantized(call.inputs[0]);
  const multiplier = f32(f32(scale) / f32(f32(scale) * count));
  return int32s({ length: call.samples * size }, (_, i) => {
    const sum = integerSum(termsOf(call, reduced, i), count) - zeroPoint * count;
    return clamp(convertToInt32(f32(f32(sum) * multiplier)) + zeroPoint, quantMin, quantMax);
  });
}

function integerSum(x: (k: number) => number, count: number): number {
  let sum = 0;
  for (let k = 0; k < count; k++) sum += x(k);
  return sum;
}

type Sum = (x: (k: number) => number, count: number, column: number) => number;

/** Null: not known. All places of channels_last images and volumes, channels of contiguous ones, the last axis behind a conv1d. */
function knownOrder(call: TensorCall): Sum | null {
  const [input] = call.inputs;
  const axes = axesIn(call);
  const { dims } = input.shape;
  const columns =
    (size: number): Sum =>
    (x, count, column) =>
      sumOfColumn(x, count, column, size);
  const isEveryPlace = sameDims(axes, dims.length === 3 ? [1, 2] : [1, 2, 3]);
  if (dims.length >= 3 && isEveryPlace && isChannelsLast(input)) return columns(dims[0]);
  if (sameDims(axes, [0]) && isContiguous(input)) return columns(sizeOf(dims.slice(1)));
  return dims.length === 2 && sameDims(axes, [1]) ? sumOfRow : null;
}

function meanInOrder(call: TensorCall, sum: Sum): Int32Array {
  const reduced = reducedOf(call);
  const { count, size } = reduced;
  const real = dequantizeFloat32.prepare(quantized(call.inputs[0]));
  const code = quantizeFma.prepare(quantized(call.output));
  return int32s({ length: call.samples * size }, (_, i) => {
    const x = termsOf(call, reduced, i);
    return code(f32(sum((k) => real(x(k)), count, i % size) / count));
  });
}

export const meanFloats = meanInAnyOrder(quantizeDecomposed);
