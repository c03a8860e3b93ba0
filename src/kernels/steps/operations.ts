/** Operations of which steps are written out. */
import type { RealBias } from '../../nouns/kernel.js';
import type { Operation, Precision } from '../../nouns/written.js';

/** numpy, and the numbers, one a channel. */
export type Factor = readonly [formula: string, values: ArrayLike<number>];

export function multiplyBy([formula, values]: Factor, precision: Precision = 'float32'): Operation {
  return { kind: 'multiply', name: 'multiplier', precision, formula, operand: (channel) => values[channel] };
}

/** By the output's scale, the same for all channels; divided by it, or multiplied by its reciprocal. */
export function toOutputScale(formula: string, scale: number, divides: boolean, precision: Precision = 'float32') {
  const kind = divides ? 'divide' : 'multiply';
  return { kind, name: 'output scale', precision, formula, operand: () => scale } satisfies Operation;
}

/** Nothing without a bias. */
export function addBias(bias: RealBias | null, formula: string, precision: Precision = 'float32'): Operation[] {
  return bias ? [{ kind: 'add', name: 'bias', precision, formula, operand: bias }] : [];
}
