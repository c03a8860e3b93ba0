import type { Cause } from '../cause.js';
import { isTensorStudy } from '../study/study.js';
import { formOf, variantChange } from '../tensorSteps.js';
import { decidingValue } from './deciding.js';

/** Windows on the border divided by another count: padding counted or not. */
export const poolDivisor: Cause<'pool-divisor', 'tensor'> = {
  code: 'pool-divisor',
  kinds: ['tensor'],
  needs: [(study) => isTensorStudy(study) && formOf(study)?.divisors !== undefined],
  whose: 'model',

  changes: (study) =>
    (formOf(study)?.divisors?.(study.declared.params.attributes) ?? []).map((variant) =>
      variantChange('pool-divisor', 'multiplier', variant),
    ),

  evidence: (found) => ({ deciding: decidingValue(found) }),
};
