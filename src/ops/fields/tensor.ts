import type { Activation, TensorForm } from '../../nouns/model.js';

/** attributes: what the op's file reads for the kernels' step. */
export function tensorForm(attributes: unknown, activation: Activation = 'none'): TensorForm {
  return { kind: 'tensor', attributes, activation };
}
