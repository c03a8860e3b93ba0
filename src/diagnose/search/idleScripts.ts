/** Scripts of whole values that compute what is declared: another number parts them from it. */
import { scriptsToNearest, stepsChange } from '../alternatives/tensorSteps.js';
import type { TensorChange } from '../setup.js';
import { isTensorStudy, type Study } from '../study/study.js';

/** Changes that move nothing and are no causes; another stands on them. TFLite's softmax reads no scale of its output: a script does. */
export function idleScripts(study: Study): TensorChange[] {
  if (!isTensorStudy(study) || !study.free) return [];
  const { declared } = study;
  return scriptsToNearest(study, false)
    .filter((steps) => study.sameOnSubset({ ...declared, steps }, declared))
    .map((steps) => ({ ...stepsChange('multiplier-precision', 'multiplier', steps), unnamed: true }));
}
