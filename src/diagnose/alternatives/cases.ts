import type { NumericArray } from '../../nouns/array.js';
import { isQuantized } from '../../nouns/value.js';
import { isBytes } from '../../numeric/array.js';
import { sumOf } from '../../numeric/integer.js';
import { floor } from '../../numeric/round.js';
import { inputOf, type Setup } from '../setup.js';
import { countOf } from '../study/agree.js';
import type { Scope } from '../study/data.js';
import { inputValues } from '../study/elementwiseEngine.js';
import {
  isElementwiseStudy,
  isProductStudy,
  isTensorStudy,
  type ProductStudy,
  type Study,
  type TensorStudy,
} from '../study/study.js';
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
  if (!isOfCodes(study)) return data.mismatched;
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
  const count = counted.get(study) ?? countCases(study, MOST_COUNTED, (i) => study.differing[i] === 1);
  counted.set(study, count);
  return count >= fewest;
}

/** Of those values of the subset of which something holds. */
export function hasCasesWhere(study: Study, fewest: number, holds: (value: number) => boolean): boolean {
  return hasCases(study, fewest) && hasCasesAmong(study, fewest, (i) => study.differing[i] === 1 && holds(i));
}

/** Of all values of the subset, those that differ or not. */
export function hasCasesAmong(study: Study, fewest: number, holds: (value: number) => boolean): boolean {
  return countCases(study, fewest, holds) >= fewest;
}

/** Whether a setup misses so many. */
export function missesCases(study: Study, setup: Setup, fewest: number): boolean {
  if (study.mismatches(setup) < fewest) return false;
  const misses = study.misses(setup, study.subset);
  return hasCasesAmong(study, fewest, (i) => misses[i] !== 0);
}

/**
 * How many bits those that differ tell: one code beside the declared is one of three, one far away of hundreds. None
 * where fewer differ than are asked for.
 */
export function bitsOfCases(study: Study, fewest: number): number {
  if (!isQuantized(study.declared.params.output)) return 0;
  const cases = distinctCases(study, MOST_COUNTED, (i) => study.differing[i] === 1);
  if (cases.length < fewest) return 0;
  const declared = study.values(study.declared);
  const bits = cases.map((i) => Math.log2(1 + 2 * Math.abs(study.subset.observed[i] - declared[i])));
  return sumOf(bits);
}

function countCases(study: Study, most: number, holds: (value: number) => boolean): number {
  return distinctCases(study, most, holds).length;
}

/** One value of each case. */
function distinctCases(study: Study, most: number, holds: (value: number) => boolean): number[] {
  const { observed } = study.subset;
  const columns = followedBy(study);
  const isAlike = alikeChannels(study);
  const met: number[] = [];
  const isMet = (i: number) =>
    columns !== null &&
    met.some(
      (own) => observed[own] === observed[i] && columns.every((column) => column[own] === column[i]) && isAlike(own, i),
    );
  for (let i = 0; i < observed.length && met.length < most; i++) if (holds(i) && !isMet(i)) met.push(i);
  return met;
}

/** More than any number of weights asks for. */
const MOST_OF_COLUMN = 24;

/** How many of a channel, a column of a scope, differ, up to a number; rows with the same sum and the same code are one. */
export function casesByColumn(study: ProductStudy, scope: Scope): (column: number, most: number) => number {
  const { observed } = scope;
  const width = scope.channels?.length ?? study.channels;
  const misses = study.misses(study.declared, scope);
  const sums = study.engine.accumulator(study.declared, scope);
  return (column, most) => {
    const met: number[] = [];
    const isMet = (i: number) => met.some((own) => sums[own] === sums[i] && observed[own] === observed[i]);
    const enough = Math.min(most, MOST_OF_COLUMN);
    for (let i = column; i < misses.length && met.length < enough; i += width)
      if (misses[i] !== 0 && !isMet(i)) met.push(i);
    return met.length;
  };
}

/** Whether equal sums of two values come to the same: of one channel, or of two with the same numbers. */
function alikeChannels(study: Study): (a: number, b: number) => boolean {
  if (!isProductStudy(study)) return () => true;
  const { channels, declared } = study;
  const { weightScale, bias, biasInt32 } = declared.params;
  const numbers = [weightScale, bias, biasInt32].filter((each) => each !== null && each.length > 1);
  return (a, b) => (a - b) % channels === 0 || numbers.every((each) => each![a % channels] === each![b % channels]);
}

/** What values of the subset follow from: sums as declared, or codes of each input; of more than those at its place: the sample. Null: of floats. */
function followedBy(study: Study): NumericArray[] | null {
  const { subset, data, differing } = study;
  if (isElementwiseStudy(study)) return [inputValues(subset)];
  if (data.onFloats) return null;
  if (isProductStudy(study)) {
    const added = study.engine.addend(study.declared, subset);
    return [study.engine.accumulator(study.declared, subset), ...(added ? [added] : [])];
  }
  if (isOfCodes(study)) return [inputValues(subset)];
  if (!isTensorStudy(study)) return null;
  const inputs = subset.inputs.map((input) => input.data);
  const isOfPlaces = inputs.length > 1 && formOf(study)?.value !== undefined;
  if (isOfPlaces && inputs.every(({ length }) => length === differing.length)) return inputs;
  // what is joined: a code each
  if (inputs.length > 1 && sumOf(inputs.map(({ length }) => length)) === differing.length)
    return [study.values(study.declared)];
  const places = placesOf.get(study) ?? [firstAlike(study), Int32Array.from(differing, (_, i) => i % study.channels)];
  placesOf.set(study, places);
  return places;
}

/** Asked again and again. */
const placesOf = new WeakMap<Study, Int32Array[]>();

/** Of each value of whole ones: the first sample that reads the same. */
function firstAlike({ subset, channels, differing }: TensorStudy): Int32Array {
  const first = new Map<string, number>();
  const of = subset.samples.map((_, sample) => {
    const key = subset.inputs
      .map(({ data, cols }) => data.subarray(sample * cols, (sample + 1) * cols).join())
      .join('|');
    if (!first.has(key)) first.set(key, sample);
    return first.get(key)!;
  });
  return Int32Array.from(differing, (_, i) => of[floor(i / channels)]);
}

/** A function of one code. */
export function isOfCodes(study: Study): boolean {
  const isFunction = isElementwiseStudy(study) || (isTensorStudy(study) && formOf(study)?.is === 'table');
  return isFunction && isQuantized(inputOf(study.declared));
}
