import type { TensorCall, TensorSteps } from '../../nouns/kernel.js';

export function tensorSteps(equation: string, run: (call: TensorCall) => Int32Array | Float32Array): TensorSteps {
  return { kind: 'tensor', equation, run };
}
