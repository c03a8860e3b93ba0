import type { BetaAttributes, GateAttributes, MatmulAttributes, ResampleAttributes } from '../../nouns/attributes.js';
import type { Computed, TensorCall, TensorSteps } from '../../nouns/kernel.js';

/** Without an activation of its own. */
export function withoutActivation(steps: TensorSteps): TensorSteps {
  return {
    ...steps,
    lacks: (form, values) => (form.activation === 'none' ? (steps.lacks?.(form, values) ?? null) : 'an activation'),
  };
}

/** Without what only TFLite's operator of that name has. */
export function withoutTflites(steps: TensorSteps): TensorSteps {
  return { ...steps, lacks: (form, values) => ownOfTflite(form.attributes) ?? steps.lacks?.(form, values) ?? null };
}

/** Fits "has no OP with ..."; null: every runtime's operator computes the same. */
function ownOfTflite(attributes: unknown): string | null {
  const own = (attributes ?? {}) as Partial<MatmulAttributes & BetaAttributes & ResampleAttributes>;
  if (own.adjX || own.adjY) return 'operands that are transposed first (adj_x, adj_y)';
  if (own.alpha !== undefined && own.alpha !== 1) return `a product of codes times an alpha of ${own.alpha}`;
  if (own.beta !== undefined && own.beta !== 1) return `a beta of ${own.beta}`;
  const { mode, alignCorners, halfPixelCenters } = own;
  if (halfPixelCenters === undefined) return null;
  const isCommon = mode === 'nearest' ? !alignCorners && !halfPixelCenters : alignCorners || halfPixelCenters;
  return isCommon ? null : `half_pixel_centers ${halfPixelCenters} and align_corners ${alignCorners ?? false}`;
}

/** Of hardsigmoid with the numbers that PyTorch's has. */
export function withSixth(steps: TensorSteps): TensorSteps {
  const lacks: TensorSteps['lacks'] = ({ attributes }) => {
    const { slope, offset } = attributes as GateAttributes;
    return slope === 1 / 6 && offset === 0.5 ? null : `an alpha of ${slope} and a beta of ${offset}`;
  };
  return { ...steps, lacks };
}

export function tensorSteps(
  equation: string,
  run: (call: TensorCall) => Computed,
  arithmetic?: TensorSteps['arithmetic'],
): TensorSteps {
  return { kind: 'tensor', equation, run, ...(arithmetic && { arithmetic }) };
}

/** Whose first values are to be had without the others. */
export function inOrder(equation: string, run: (call: TensorCall) => Computed): TensorSteps {
  return { ...tensorSteps(equation, run), inOrder: true };
}

/** Whose output has the input's scale. */
export function ofInputScale(equation: string, run: (call: TensorCall) => Computed): TensorSteps {
  return { ...tensorSteps(equation, run), keepsScale: true };
}

/** Of floats the result is known within a bound. */
export function boundedSteps(equation: string, run: (call: TensorCall) => Computed): TensorSteps {
  return { ...tensorSteps(equation, run), isBounded: true };
}
