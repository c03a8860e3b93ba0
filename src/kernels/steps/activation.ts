/** What a product fuses into its last step, as a clamp. */
import type { QuantizeStep } from '../../nouns/kernel.js';
import type { Activation } from '../../nouns/model.js';
import type { QuantParams } from '../../nouns/value.js';

/**
 * Codes between which the output stays. ReLU begins at the zero point; ReLU6 ends at the code of 6, as the kernel makes the code
 * of a bound (null: no kernel, then at the largest code).
 */
export function clampOfCodes(
  activation: Activation,
  output: QuantParams,
  bound: QuantizeStep | null,
): [number, number] {
  const { quantMin, quantMax, zeroPoint } = output;
  if (activation === 'none') return [quantMin, quantMax];
  if (typeof activation === 'object') {
    return [Math.max(quantMin, activation.clamp[0]), Math.min(quantMax, activation.clamp[1])];
  }
  const codeOf = bound?.prepare(output);
  if (activation === 'relu_n1_to_1') return codeOf ? [codeOf(-1), codeOf(1)] : [quantMin, quantMax];
  const hi = activation === 'relu6' && codeOf ? codeOf(6) : quantMax;
  return [Math.max(quantMin, zeroPoint), hi];
}

/** Bounds of a float output; validation lets no clamp in codes come here. */
export function clampOfReals(activation: Activation): [lower: number, upper: number] {
  if (typeof activation === 'object') throw new Error('a float output has no codes');
  if (activation === 'relu_n1_to_1') return [-1, 1];
  const upper = activation === 'relu6' ? 6 : Number.POSITIVE_INFINITY;
  return [activation === 'none' ? Number.NEGATIVE_INFINITY : 0, upper];
}

/** NaN stays. */
export function limitedTo(clamp: readonly [lower: number, upper: number], real: number): number {
  return real < clamp[0] ? clamp[0] : Math.min(real, clamp[1]);
}
