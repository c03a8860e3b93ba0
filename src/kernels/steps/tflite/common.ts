/** What TFLite's steps on whole values share. s, z: scale and zero point, q: a code, d = q - z. */
import type { QuantizeStep, TensorCall, TensorSteps } from '../../../nouns/kernel.js';
import type { IntegerDtype, QuantParams } from '../../../nouns/value.js';
import type { FixedPointMultiplier } from '../../../nouns/written.js';
import {
  multiplyByFixedPointDoubleRounding,
  multiplyByFixedPointDoubleRoundingUp,
  quantizeMultiplier,
} from '../../../numeric/fixedPoint.js';
import { f32 } from '../../../numeric/float.js';
import { clamp } from '../../../numeric/integer.js';
import { sizeOf } from '../../../tensor/shape.js';
import { everyElement } from '../../../tensor/vectorBody.js';
import { clampOfCodes } from '../activation.js';
import { INT32_REACH, quantized } from '../call.js';
import { quantizeDivisionHalfAway, quantizeOffsetFirst } from '../quantize.js';

/** Codes that the steps of a runtime take. */
export const BYTES: readonly IntegerDtype[] = ['int8', 'uint8'];
export const BYTES_AND_INT16: readonly IntegerDtype[] = [...BYTES, 'int16'];

/** Which code computes: the reference resolver, the builtin kernels, XNNPACK, TFLite Micro. */
export type Runtime = 'reference' | 'builtin' | 'xnnpack' | 'micro';

export const scaleOf = ({ scale }: QuantParams) => f32(scale);

/** Of a fused activation, as the runtime makes them. */
export function clampOf({ activation, output }: TensorCall, runtime: Runtime): [lo: number, hi: number] {
  const bound: QuantizeStep = runtime === 'xnnpack' ? quantizeOffsetFirst : quantizeDivisionHalfAway;
  return clampOfCodes(activation, quantized(output), bound);
}

/** Offsets and clamps. */
export function codeOf({ zeroPoint }: QuantParams, [lo, hi]: readonly [number, number]): (steps: number) => number {
  return (steps) => clamp(steps + zeroPoint, lo, hi);
}

/** x * real: by an int32 multiplier and a shift, two roundings, the second half away from zero. */
export function byMultiplier(real: number): (x: number) => number {
  const multiplier = quantizeMultiplier(real);
  return (x) => multiplyByFixedPointDoubleRounding(x, multiplier);
}

/** Products of smaller numbers neither wrap nor saturate on their way to steps. */
export function reachOfMultiplier({ exponent }: FixedPointMultiplier): number {
  return INT32_REACH / 2 ** Math.max(exponent, 0);
}

/** The same with both half up: vector code. */
export function byMultiplierUp(multiplier: FixedPointMultiplier): (x: number) => number {
  return (x) => multiplyByFixedPointDoubleRoundingUp(x, multiplier);
}

/** Whether vector code computes an element of the output, which takes so many of a call's values at a time. */
export function inBlocks({ output, first, samples, ofCall }: TensorCall, width: number): (element: number) => boolean {
  const size = sizeOf(output.shape.dims);
  const [start, end] = [first * size, Math.floor((ofCall * size) / width) * width];
  if (start + samples * size <= end) return everyElement;
  return (element) => start + element < end;
}

/** By the type of the input's codes. */
export function byWidth(bytes: TensorSteps, wide: TensorSteps): TensorSteps {
  return {
    kind: 'tensor',
    equation: `${bytes.equation}; int16: ${wide.equation}`,
    codes: [...(bytes.codes ?? []), ...(wide.codes ?? [])],
    departure: 'table-entry',
    run: (call) => (quantized(call.inputs[0]).dtype === 'int16' ? wide : bytes).run(call),
  };
}
