import type { Computed, TensorCall, TensorSteps } from '../../nouns/kernel.js';

export function tensorSteps(equation: string, run: (call: TensorCall) => Computed): TensorSteps {
  return { kind: 'tensor', equation, run };
}
