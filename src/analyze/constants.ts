/** A product's constants as integer hardware takes them. */

import { scaleProduct32 } from '../kernels/steps/scales.js';
import type { Kernel, Product, ProductSteps } from '../nouns/kernel.js';
import { InputError } from '../nouns/problem.js';
import { isQuantized } from '../nouns/value.js';
import { int32s } from '../numeric/array.js';
import { f32 } from '../numeric/float.js';

/** Throws InputError for a kernel without a product that has an integer form; whyNot: what keeps one from it, or null. */
export function refuseFloatKernel(kernel: Kernel, whyNot = whyFloat): void {
  const reasons = productsOf(kernel).map(whyNot);
  const [why] = reasons;
  if (why && !reasons.includes(null)) throw noIntegers(kernel, why);
}

export function noIntegers({ name }: Kernel, why: string): InputError {
  const message = `expected a kernel with an integer form, got ${name}, which ${why}; e.g. tflite-double, cmsis-nn, qnnpack, fbgemm`;
  return new InputError([{ kind: 'kernel', where: '--kernel', message }]);
}

/** Null: integers, scaled in fixed point or float32. */
export function whyFloat({ float, multiplier }: ProductSteps): string | null {
  if (float) return 'sums floats in no fixed order';
  return multiplier.arithmetic === 'float64' ? 'computes in float64' : null;
}

export function productsOf({ ops }: Kernel): ProductSteps[] {
  return Object.values(ops).filter((steps) => steps.kind === 'product');
}

/** One number a channel: an int32 multiplier and its exponent, or a float32 multiplier. */
export type Multipliers =
  | { readonly int32: Int32Array; readonly shift: Int8Array; readonly float32: null }
  | { readonly float32: Float32Array };

/** What takes accumulators to steps of the output's scale, or to reals where the output is float. */
export function multipliersOf({ multiplier }: ProductSteps, linear: Product): Multipliers {
  const { output, outFeatures } = linear;
  if (!isQuantized(output)) return { float32: scaleProduct32(linear) };
  // the sums themselves
  if (output.dtype === 'int32') return { float32: new Float32Array(outFeatures).fill(1) };
  const { fixedPoint } = multiplier;
  if (fixedPoint) {
    const numbers = Array.from({ length: outFeatures }, (_, n) => fixedPoint.multiplierOf(linear, output, n));
    return {
      int32: int32s(numbers, (number) => number.multiplier),
      shift: Int8Array.from(numbers, ({ exponent }) => exponent),
      float32: null,
    };
  }
  const factors = multiplier.float32?.(linear, output);
  // several factors, each of which rounds: their product is all that one number can say
  if (factors?.input !== 1 || factors.output !== 1)
    return { float32: scaleProduct32(linear).map((s) => f32(s / f32(output.scale))) };
  return { float32: factors.channel };
}

/** Biases of more than 32 bits, where the kernel adds them as they are; null otherwise. */
export function int64BiasOf({ bias: step }: ProductSteps, linear: Product): Float64Array | null {
  const prepared = step.prepare(linear);
  return prepared.unit === 'accumulator' && prepared.integers ? Float64Array.from(prepared.integers) : null;
}
