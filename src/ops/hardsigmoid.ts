/** max(0, min(1, alpha * x + beta)); PyTorch's has no other numbers than a sixth and a half. */
import type { GateAttributes } from '../nouns/attributes.js';
import { intoOwn, realFields } from './fields/unary.js';

const { fields, of } = realFields({ alpha: 1 / 6, beta: 0.5 });

export const hardsigmoid = intoOwn('hardsigmoid', fields, (given): GateAttributes => {
  const { alpha, beta } = of(given);
  return { slope: alpha, offset: beta };
});
