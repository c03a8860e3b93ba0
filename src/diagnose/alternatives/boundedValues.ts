/** A few values that an order or an operand is tried on before it is replayed. */
import type { NumericArray } from '../../nouns/array.js';
import type { Codes, Product } from '../../nouns/kernel.js';
import { isQuantized } from '../../nouns/value.js';
import { viewOf } from '../estimate/view.js';
import type { ProductSetup } from '../setup.js';
import type { Scope } from '../study/data.js';
import type { ProductStudy } from '../study/study.js';

export const TRIED = 24;
/** Half a step of rounding, one of another rule. */
export const REACH = 1.01;

export interface BoundedValue {
  /** Its place in the scope. */
  readonly place: number;
  readonly row: number;
  /** Of the layer. */
  readonly channel: number;
  /** Whether a sum of products gives it, nearly. */
  admits(sum: number): boolean;
}

/** Some values that are bounded on both sides: of the probe, where it has as many. reach: floats are bounded by what float32 leaves open. */
export function boundedIn(
  study: ProductStudy,
  base: ProductSetup,
  reach = isQuantized(base.params.output) ? REACH : 0,
): { readonly scope: Scope; readonly tried: readonly BoundedValue[] } {
  const of = (scope: Scope) => {
    const view = viewOf(study, base, scope);
    const all = [...view.acc.keys()].filter((i) => Number.isFinite(view.lo[i]) && Number.isFinite(view.hi[i]));
    const stride = Math.max(1, Math.floor(all.length / TRIED));
    return { view, scope, tried: all.filter((_, i) => i % stride === 0) };
  };
  const probed = of(study.probe);
  const { view, scope, tried } = probed.tried.length < TRIED ? of(study.sketch) : probed;
  const bounded = (place: number): BoundedValue => {
    const [row, column] = [Math.floor(place / view.channels), place % view.channels];
    const unit = (view.rowUnits?.[row] ?? 1) * view.stepsPerUnit[column];
    const [lo, hi] = [view.lo[place] - reach, view.hi[place] + reach];
    return {
      place,
      row,
      channel: scope.channels?.[column] ?? column,
      admits(sum) {
        const v = sum * unit + view.biasSteps[column];
        return v > lo && v < hi;
      },
    };
  };
  return { scope, tried: tried.map(bounded) };
}

/** By the values that are added, ways, what is taken off, and value: the sums of a base are mostly another's. */
const known = new WeakMap<NumericArray, WeakMap<readonly unknown[], Map<string, Map<number, Float64Array>>>>();

function knownSums({ data }: Codes, { input, weightZeroPoint }: Product, ways: readonly unknown[]) {
  const ofCodes = known.get(data) ?? new WeakMap<readonly unknown[], Map<string, Map<number, Float64Array>>>();
  known.set(data, ofCodes);
  const ofWays = ofCodes.get(ways) ?? new Map<string, Map<number, Float64Array>>();
  ofCodes.set(ways, ofWays);
  const key = `${input.zeroPoint}|${weightZeroPoint.join()}`;
  const sums = ofWays.get(key) ?? new Map<number, Float64Array>();
  ofWays.set(key, sums);
  return sums;
}

/**
 * Ways to add that give some values, nearly: each value is asked of those that the values before it leave, on noise soon none.
 * ways: the same list for the same layer; sumsOf: of a value, the sum by each way.
 */
export function givingAll<T>(
  ways: readonly T[],
  tried: readonly BoundedValue[],
  { codes, params }: { readonly codes: Codes; readonly params: Product },
  sumsOf: (value: BoundedValue) => (way: T) => number,
): T[] {
  const sums = knownSums(codes, params, ways);
  let left = [...ways.keys()];
  for (const value of tried) {
    const sumOf = sumsOf(value);
    const ofValue = sums.get(value.place) ?? new Float64Array(ways.length).fill(Number.NaN);
    sums.set(value.place, ofValue);
    left = left.filter((way) => {
      if (Number.isNaN(ofValue[way])) ofValue[way] = sumOf(ways[way]);
      return value.admits(ofValue[way]);
    });
  }
  return left.map((way) => ways[way]);
}
