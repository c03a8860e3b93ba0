/** Scripts of whole values that compute what is declared: another number parts them from it. */
import { downward, towardZero } from '../../kernels/steps/round.js';
import { scriptsRounding, scriptsToNearest, stepsChange } from '../alternatives/tensorSteps.js';
import type { Change, TensorChange } from '../setup.js';
import { isTensorStudy, type Study } from '../study/study.js';

/** Changes that move nothing and are no causes; another stands on them. TFLite's softmax reads no scale of its output: a script does. */
export function idleScripts(study: Study): TensorChange[] {
  if (!isTensorStudy(study) || !study.free) return [];
  const { declared } = study;
  const scripts = declared.steps.cutsOff
    ? [downward, towardZero].flatMap((round) => scriptsRounding(study, round))
    : scriptsToNearest(study, false);
  return scripts
    .filter((steps) => study.sameOnSubset({ ...declared, steps }, declared))
    .map((steps) => ({ ...stepsChange('multiplier-precision', 'multiplier', steps), unnamed: true }));
}

/** Of changes those that leave the layer's steps as they are: of numbers, of what is read and stored, of bounds. */
export function onOwnSteps({ declared }: Study, changes: readonly Change[]): Change[] {
  return changes.filter(({ apply }) => apply(declared).steps === declared.steps);
}
