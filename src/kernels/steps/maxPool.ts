/** The largest code of a window; no arithmetic, and padding never wins. */
import type { PoolAttributes } from '../../nouns/attributes.js';
import type { CodeArray, TensorCall, TensorSteps } from '../../nouns/kernel.js';
import { type AxisCovers, borderAxes, windowAxes } from '../../tensor/covers.js';
import { positionDims } from '../../tensor/shape.js';
import { quantized } from './call.js';
import { imageOf, largestOfWindows } from './pool.js';
import { tensorSteps } from './tensor.js';

/** Of floats too, by whoever gives it other codes afterwards. */
export const largestCode: TensorSteps = tensorSteps('max of the codes of a window', (call) =>
  maximum(call, windowAxes(attributesOf(call).window, positionDims(imageOf(call).shape))),
);

export const maxPool: TensorSteps = { ...largestCode, keepsScale: true };

/** QNNPACK, uint8 without ceil_mode: dilated taps on the padding read the border; ATen's code elsewhere. */
export const maxPoolQnnpack: TensorSteps = {
  ...maxPool,
  run(call) {
    const { window } = attributesOf(call);
    if (window.ceil || call.inputs[0].params.dtype !== 'uint8') return maxPool.run(call);
    return maximum(call, borderAxes(window, positionDims(imageOf(call).shape)));
  },
};

function attributesOf({ attributes }: TensorCall): PoolAttributes {
  return attributes as PoolAttributes;
}

function maximum(call: TensorCall, axes: readonly AxisCovers[]): CodeArray {
  return largestOfWindows(call, axes, quantized(call.inputs[0]).quantMin);
}
