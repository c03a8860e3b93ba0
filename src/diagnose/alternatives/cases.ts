import { isQuantized } from '../../nouns/value.js';
import { isBytes } from '../../numeric/array.js';
import { inputOf } from '../setup.js';
import { countOf } from '../study/agree.js';
import { inputValues } from '../study/elementwiseEngine.js';
import { isElementwiseStudy, isTensorStudy, type Study } from '../study/study.js';
import { formOf } from './tensorSteps.js';

/** Codes of a curve that a number has to move: an approximation of the curve parts from it in a few, and as if by one. */
const FEWEST_OF_CURVE = 8;

/** Of no curve a number may be told by any. */
export function tellsNumber(study: Study): boolean {
  const isCurve = isTensorStudy(study) && formOf(study)?.is === 'table';
  return !isCurve || casesOf(study) >= FEWEST_OF_CURVE;
}

/** Differing values that follow from different ones: of a function of one code there is one for each. */
export function casesOf(study: Study): number {
  const { subset, differing, data } = study;
  const isOfCodes = isElementwiseStudy(study) || (isTensorStudy(study) && formOf(study)?.is === 'table');
  if (!isOfCodes || !isQuantized(inputOf(study.declared))) return data.mismatched;
  const values = inputValues(subset);
  const met = new Set<number>();
  if (isBytes(values)) {
    // a list of 256: 40 million are asked for
    const isMet = new Uint8Array(256);
    for (let i = 0; i < values.length; i++) if (differing[i]) isMet[values[i] & 255] = 1;
    return countOf(isMet);
  }
  for (let i = 0; i < values.length; i++) if (differing[i] && !met.has(values[i])) met.add(values[i]);
  return met.size;
}
