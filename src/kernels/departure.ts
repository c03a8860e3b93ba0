/** What it is called when a layer is computed by other steps than declared, all of them taken together. */
import type { OpSteps } from '../nouns/kernel.js';
import type { Layer } from '../nouns/model.js';
import { sameUnderflows, weightZeroPointIgnored } from './steps/tflite/products.js';

export type Departure = NonNullable<Extract<OpSteps, { kind: 'tensor' }>['departure']> | 'float-arithmetic';

export function departureTo(
  declared: OpSteps,
  found: OpSteps,
  { output, onFloats }: Pick<Layer, 'output' | 'onFloats'>,
): Departure {
  if (onFloats) return 'float-arithmetic';
  if (found.kind === 'tensor') {
    // the kernel of uint8 is right for uint8
    const isRight = found.departure === 'kernel-defect' && output?.dtype === 'uint8';
    return isRight ? 'fixed-point-multiplier' : (found.departure ?? 'fixed-point-multiplier');
  }
  if (found.kind === 'elementwise') return found.rescale ? 'fixed-point-multiplier' : 'multiplier-precision';
  if ([sameUnderflows, weightZeroPointIgnored].includes(found.accumulate)) return 'kernel-defect';
  const isFixed = found.multiplier.arithmetic === 'fixed-point';
  const changes = declared.kind !== 'product' || declared.multiplier !== found.multiplier;
  return isFixed && changes ? 'fixed-point-multiplier' : 'multiplier-precision';
}

/** One line of arithmetic. */
export function equationOf(steps: OpSteps): string {
  if (steps.kind === 'tensor') return steps.equation;
  if (steps.kind === 'elementwise') {
    const { rescale, quantize, dequantize, bound, rest } = steps;
    const own = (rescale ?? quantize ?? dequantize ?? bound).equation;
    return rest ? `${own}; the last values of a tensor ${equationOf(rest)}` : own;
  }
  if (steps.dynamic) return `${steps.dynamic.choose.equation}; ${steps.dynamic.equation}`;
  const sums = [sameUnderflows, weightZeroPointIgnored].includes(steps.accumulate) ? [steps.accumulate.equation] : [];
  return [...sums, steps.multiplier.equation, ...(steps.round.equation === 'v' ? [] : [steps.round.equation])].join(
    ', ',
  );
}
