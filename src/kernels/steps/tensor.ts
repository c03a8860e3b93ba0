import type { Computed, TensorCall, TensorSteps } from '../../nouns/kernel.js';

/** Without an activation of its own. */
export function withoutActivation(steps: TensorSteps): TensorSteps {
  return { ...steps, lacks: (form) => (form.activation === 'none' ? (steps.lacks?.(form) ?? null) : 'an activation') };
}

export function tensorSteps(
  equation: string,
  run: (call: TensorCall) => Computed,
  arithmetic?: TensorSteps['arithmetic'],
): TensorSteps {
  return { kind: 'tensor', equation, run, ...(arithmetic && { arithmetic }) };
}
