/** scale * (x > 0 ? x : alpha * expm1(input_scale * x)). */
import type { EluAttributes } from '../nouns/attributes.js';
import { realFields, unary } from './fields/unary.js';

const { fields, of } = realFields({ alpha: 1, scale: 1, input_scale: 1 });

export const elu = unary('elu', fields, (given): EluAttributes => {
  const { alpha, scale, input_scale: inputScale } = of(given);
  return { alpha, scale, inputScale };
});
