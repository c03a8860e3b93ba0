import type { NumericArray } from '../../nouns/array.js';
import { isQuantized } from '../../nouns/value.js';
import { isBytes } from '../../numeric/array.js';
import { inputOf } from '../setup.js';
import { countOf } from '../study/agree.js';
import { inputValues } from '../study/elementwiseEngine.js';
import { isElementwiseStudy, isProductStudy, isTensorStudy, type Study } from '../study/study.js';
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

/** More than any rule asks for. */
const MOST_COUNTED = 16;

const counted = new WeakMap<Study, number>();

/**
 * Whether so many of them differ, 16 at most: rows repeat where an image is empty, or where a bench sends one sample again, and a hundred
 * equal values are one case. Of a large layer those of the subset are enough.
 */
export function hasCases(study: Study, fewest: number): boolean {
  if (study.data.mismatched < fewest) return false;
  const count = counted.get(study) ?? countCases(study);
  counted.set(study, count);
  return count >= fewest;
}

/** Of those values of the subset of which something holds. */
export function hasCasesWhere(study: Study, fewest: number, holds: (value: number) => boolean): boolean {
  return hasCases(study, fewest) && countCases(study, fewest, holds) >= fewest;
}

function countCases(study: Study, most = MOST_COUNTED, holds: (value: number) => boolean = () => true): number {
  const { differing, channels } = study;
  const columns = followedBy(study);
  if (!columns) return Math.min(most, casesOf(study));
  // of sums by channel
  const width = isProductStudy(study) ? channels : 1;
  const met: number[] = [];
  const isMet = (i: number) =>
    met.some((own) => (own - i) % width === 0 && columns.every((column) => column[own] === column[i]));
  for (let i = 0; i < differing.length && met.length < most; i++)
    if (differing[i] === 1 && holds(i) && !isMet(i)) met.push(i);
  return met.length;
}

/** What values of the subset follow from: sums as declared, or codes of each input; null: of more than those at its place, or of floats. */
function followedBy(study: Study): NumericArray[] | null {
  const { subset, data, differing } = study;
  if (data.onFloats) return null;
  if (isProductStudy(study)) {
    const added = study.engine.addend(study.declared, subset);
    return [study.engine.accumulator(study.declared, subset), ...(added ? [added] : [])];
  }
  if (!isTensorStudy(study) || !formOf(study)?.value || subset.inputs.length < 2) return null;
  const inputs = subset.inputs.map((input) => input.data);
  return inputs.every(({ length }) => length === differing.length) ? inputs : null;
}
