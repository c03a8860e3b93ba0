/** x > 0 ? x : alpha * expm1(x / alpha). */
import type { EluAttributes } from '../nouns/attributes.js';
import { realFields, unary } from './fields/unary.js';

const { fields, of } = realFields({ alpha: 1 });

export const celu = unary('celu', fields, (given, { checks, place }): EluAttributes | 'wrong' => {
  const { alpha } = of(given);
  if (alpha !== 0) return { alpha, scale: 1, inputScale: 1 };
  checks.problem('alpha', [...place, 'alpha'], 'expected a number other than 0, got 0');
  return 'wrong';
});
