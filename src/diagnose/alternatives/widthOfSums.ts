/** How wide an accumulator was, by what its sums give: 12, 18 or 20 bits as well as 16. */
import { exact } from '../../kernels/steps/accumulate.js';
import { int32BiasFloat64 } from '../../kernels/steps/bias.js';
import { isQuantized, type QuantParams } from '../../nouns/value.js';
import { withSteps } from '../setup.js';
import type { Scope } from '../study/data.js';
import type { ProductStudy } from '../study/study.js';
import { realsOf } from './short/shortForms.js';

/** A rounding of another rule moves no value as far. */
const FAR = 2;

/** Values that are as far by chance would be among small sums too. */
const FEWEST_FAR = 8;

/** Of more, a part: of half a million values it took a third of a search of noise. */
const MOST_LOOKED = 2 ** 16;

/** Sums beyond a width give another value than in full, but where both are clamped. */
const MOST_RIGHT = 1 / 4;

/** Widths that values leave open: fewer bits than the first have been tried, more than the last are an int32. */
const [MOST_WIDTHS, LEAST, MOST] = [3, 9, 31];

const known = new WeakMap<Scope, readonly number[]>();

/** Those that both what wraps and what nothing exceeds tell come first. */
export function widthsOfSums(study: ProductStudy): readonly number[] {
  const { declared, subset, free, data } = study;
  if (!free || data.dynamic || !isQuantized(declared.params.output)) return [];
  if (!known.has(subset)) known.set(subset, found(study));
  return known.get(subset)!;
}

/** A scope's sums, what they hold beside, and how far each value is from the declared one. */
interface Told {
  readonly sums: Float64Array;
  readonly distances: readonly number[];
  /** The least that a value says of the size of its sum. */
  readonly said: Float64Array;
}

function found(study: ProductStudy): number[] {
  const { declared, subset, sketch } = study;
  const scope = subset.observed.length > MOST_LOOKED ? sketch : subset;
  const { observed } = scope;
  const { data } = study.outputs(declared, scope);
  const distances = Array.from(data, (value, i) => Math.abs(value - observed[i]));
  if (distances.filter((own) => own > FAR).length < FEWEST_FAR) return [];
  const channels = scope.channels ?? [...Array(study.channels).keys()];
  const channelOf = (i: number) => channels[i % channels.length];
  const sums = Float64Array.from(study.engine.accumulator(withSteps(declared, { accumulate: exact }), scope));
  const prepared = int32BiasFloat64.prepare(declared.params);
  const bias = prepared.unit === 'int32' ? prepared.values : null;
  const { zeroPoint } = declared.params.output as QuantParams;
  const real = realsOf(declared.params);
  const said = sums.map((_, i) => (Math.abs(observed[i] - zeroPoint) - 1) / real[channelOf(i)]);
  const told: Told[] = [{ sums, distances, said: said.map((size, i) => size - Math.abs(bias?.[channelOf(i)] ?? 0)) }];
  if (bias) told.push({ sums: sums.map((sum, i) => sum + bias[channelOf(i)]), distances, said });
  const bounded = told.flatMap(widthThatBounds);
  const exceeded = told.flatMap(widthsExceeded);
  const both = bounded.filter((bits) => exceeded.includes(bits));
  return [...new Set([...both, ...bounded, ...exceeded])].slice(0, MOST_WIDTHS);
}

/** No value says that its sum is larger than a width holds, and some sum is. */
function widthThatBounds({ sums, said }: Told): number[] {
  const bits = Math.ceil(Math.log2(largest(said))) + 1;
  return isWidth(bits) && largest(sums) >= 2 ** (bits - 1) ? [bits] : [];
}

/** By one bit more than the least of the sums whose values are far, and by fewer down to the largest that is right. */
function widthsExceeded({ sums, distances }: Told): number[] {
  let [least, right] = [Number.POSITIVE_INFINITY, 0];
  sums.forEach((sum, i) => {
    if (distances[i] > FAR) least = Math.min(least, Math.abs(sum));
  });
  for (const sum of sums) if (Math.abs(sum) < least) right = Math.max(right, Math.abs(sum));
  const most = Math.floor(Math.log2(least)) + 1;
  const fewest = Math.ceil(Math.log2(right + 1)) + 1;
  const widths = Array.from({ length: MOST_WIDTHS }, (_, i) => most - i);
  return widths.filter((bits) => isWidth(bits) && bits >= fewest && areBeyond(sums, distances, 2 ** (bits - 1)));
}

function areBeyond(sums: Float64Array, distances: readonly number[], limit: number): boolean {
  let [beyond, right] = [0, 0];
  sums.forEach((sum, i) => {
    if (sum < limit && sum >= -limit) return;
    beyond++;
    if (distances[i] === 0) right++;
  });
  return right <= MOST_RIGHT * beyond;
}

function isWidth(bits: number): boolean {
  return bits >= LEAST && bits <= MOST;
}

function largest(numbers: Float64Array): number {
  return numbers.reduce((most, own) => Math.max(most, Math.abs(own)), 0);
}
