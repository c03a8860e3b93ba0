import type { Cause } from '../cause.js';
import { isTensorStudy } from '../study/study.js';
import { formOf, variantChange } from '../tensorSteps.js';
import { decidingValue } from './deciding.js';

/** An interpolation by another mode, corner or half-pixel rule, of the same output size. */
export const resampleGrid: Cause<'resample-grid', 'tensor'> = {
  code: 'resample-grid',
  kinds: ['tensor'],
  needs: [(study) => isTensorStudy(study) && formOf(study)?.grids !== undefined],
  whose: 'model',

  changes: (study) =>
    (formOf(study)?.grids?.(study.declared.params.attributes) ?? []).map((variant) =>
      variantChange('resample-grid', 'weights', variant),
    ),

  evidence: (found) => ({ deciding: decidingValue(found) }),
};
