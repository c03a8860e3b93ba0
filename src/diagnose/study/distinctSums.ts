import type { NumericArray } from '../../nouns/array.js';
import type { SumData } from '../../nouns/kernel.js';
import type { Scope } from './data.js';

/** Every sum that a channel has, with the code that is observed beside it; [rows, channels], the first of a channel again where it has fewer. */
interface Distinct {
  readonly sums: Int32Array;
  readonly codes: NumericArray;
}

type Found = Distinct | 'none' | null;

/** By the scope and what its sums depend on. */
export class DistinctSums {
  private readonly known = new WeakMap<Scope, Map<string, Found>>();

  /**
   * What follows sums is a function of them, channel by channel: each is asked of once, where 16 million values have some hundred.
   * 'none': equal sums have other codes, so that no steps after them give these. Null: there are too many.
   */
  of(scope: Scope, key: string, sumsOf: () => SumData): Found {
    const known = this.known.get(scope) ?? new Map<string, Found>();
    this.known.set(scope, known);
    let found = known.get(key);
    if (found === undefined) {
      found = distinctSums(sumsOf(), scope.observed, scope.observed.length / scope.samples.length);
      known.set(key, found);
    }
    return found;
  }
}

/** Values for each sum that is met: with fewer nothing is gained. */
const FEWEST_VALUES = 4;
/** No code. */
const NONE = 2 ** 31 - 1;

function distinctSums(sums: SumData, observed: NumericArray, width: number): Found {
  if (!(sums instanceof Int32Array) || observed instanceof Float32Array || sums.length < width) return null;
  const least = sums.slice(0, width);
  const most = sums.slice(0, width);
  for (let i = 0, n = 0; i < sums.length; i++, n = n + 1 === width ? 0 : n + 1) {
    if (sums[i] < least[n]) least[n] = sums[i];
    else if (sums[i] > most[n]) most[n] = sums[i];
  }
  const starts = new Float64Array(width + 1);
  for (let n = 0; n < width; n++) starts[n + 1] = starts[n] + most[n] - least[n] + 1;
  if (starts[width] > sums.length) return null;
  const offsets = starts.map((start, n) => start - least[n]);
  const codeOf = new Int32Array(starts[width]).fill(NONE);
  let met = 0;
  for (let i = 0, n = 0; i < sums.length; i++, n = n + 1 === width ? 0 : n + 1) {
    const at = offsets[n] + sums[i];
    if (codeOf[at] === NONE) {
      codeOf[at] = observed[i];
      met++;
    } else if (codeOf[at] !== observed[i]) return 'none';
  }
  return met * FEWEST_VALUES > sums.length ? null : inColumns(codeOf, starts, least, width);
}

function inColumns(codeOf: Int32Array, starts: Float64Array, least: Int32Array, width: number): Distinct {
  const found = Array.from({ length: width }, (_, n) => {
    const met: number[] = [];
    for (let at = starts[n]; at < starts[n + 1]; at++) if (codeOf[at] !== NONE) met.push(at);
    return met;
  });
  const rows = found.reduce((longest, { length }) => Math.max(longest, length), 0);
  const sums = new Int32Array(rows * width);
  const codes = new Int32Array(rows * width);
  for (let row = 0, i = 0; row < rows; row++) {
    for (let n = 0; n < width; n++, i++) {
      const at = found[n][row] ?? found[n][0];
      sums[i] = at - starts[n] + least[n];
      codes[i] = codeOf[at];
    }
  }
  return { sums, codes };
}
