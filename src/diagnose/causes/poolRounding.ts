import type { Cause } from '../cause.js';
import { ROUNDING_CAUSES } from '../departures.js';
import { writesCodes } from '../facts.js';
import { isTensorStudy } from '../study/study.js';
import { formOf, scriptsRounding, stepsChange } from '../tensorSteps.js';
import { decidingValue } from './deciding.js';

/** A mean over places rounded by another rule than to nearest, ties to even. */
export const poolRounding: Cause<'pool-rounding', 'tensor'> = {
  code: 'pool-rounding',
  kinds: ['tensor'],
  needs: [writesCodes, (study) => isTensorStudy(study) && formOf(study)?.is === 'mean'],
  whose: 'kernel',

  changes: (study) =>
    ROUNDING_CAUSES.flatMap(([round]) =>
      scriptsRounding(study, round).map((steps) =>
        stepsChange('pool-rounding', 'round', steps, { rule: round.equation }),
      ),
    ),

  evidence: (found) => ({ deciding: decidingValue(found) }),
};
