/** All weights of a channel at once: least squares of every column of the activations, rounded to integers. */
import { roundHalfEven } from '../../numeric/round.js';
import { spread } from '../study/arrays.js';
import type { Residuals } from './severalWeights.js';

/** Multiply-adds of a Gram matrix, as long as the rows are several times the columns. */
const MOST_EFFORT = 5e7;
const ENOUGH_ROWS = 4;
const MOST_COLUMNS = 768;
/** Equations beyond the unknowns: floats have 24 bits each, codes are bounds. */
const SPARE_FLOATS = 8;
const SPARE_CODES = 1.2;
/** Rows beyond the weights of a channel, the least that show noise. */
const SPARE_ROWS = 8;
/** So many standard deviations lie within half an integer. */
const CERTAIN = 4;
/** Where a weight is as likely as not more than one off. */
const HOPELESS = 3;
/** Of what rounding in double precision adds. */
const ROUNDED = 1e-6;
/** Multiply-adds of a channel. */
const MOST_REPAIRS = 3e7;

/** What every weight of a channel has to be changed by; or about how many samples it would take to know. */
export type Solved = { readonly changes: Int32Array } | { readonly samples: number };

/** Whether a few rows show already that no weights give what was observed: reals leave more of it than rounding can. */
export function isRefuted(residuals: Residuals): boolean {
  const { lo, hi, inFeatures } = residuals;
  const bounded = boundedRows(lo, hi);
  const isRefutedBy = (rows: readonly number[]) => {
    const columns = usedColumns(residuals, rows, rows.length - 1);
    if (columns === null || rows.length * columns.length ** 2 > MOST_EFFORT) return false;
    const system = systemOf(residuals.centred, rows, columns, inFeatures);
    return system !== null && leavesTooMuch(system.solve(middles(lo, hi, rows)).rest, lo, hi, rows);
  };
  // where it is loud a few more rows than weights tell
  const few = spread(bounded, inFeatures + SPARE_ROWS);
  return isRefutedBy(few) || (few.length < bounded.length && isRefutedBy(bounded));
}

/** Null: no integers give what was observed. */
export function solveAll(residuals: Residuals, isWeight: (k: number, change: number) => boolean): Solved | null {
  const { lo, hi, inFeatures, rounded } = residuals;
  const bounded = boundedRows(lo, hi);
  const columns = usedColumns(residuals, bounded, MOST_COLUMNS);
  if (columns === null || columns.length === 0) return null;
  const needed = rounded ? Math.ceil(SPARE_CODES * columns.length) : columns.length + SPARE_FLOATS;
  if (bounded.length < needed) return { samples: Math.ceil((needed * lo.length) / Math.max(1, bounded.length)) };
  const rows = spread(bounded, Math.max(ENOUGH_ROWS * needed, MOST_EFFORT / columns.length ** 2));
  const system = systemOf(residuals.centred, rows, columns, inFeatures);
  if (!system) return null;
  const deviation = Math.sqrt(rows.reduce((sum, row) => sum + (hi[row] - lo[row]) ** 2, 0) / (12 * rows.length));
  const uncertain = (deviation * CERTAIN * Math.sqrt(system.widest)) / 0.5;
  const open = more(Math.ceil(((rows.length * lo.length) / bounded.length) * uncertain ** 2), lo.length);
  if (uncertain > HOPELESS) return open;
  const { found, rest } = system.solve(middles(lo, hi, rows));
  // noise ends here, where `repair` would try integers one by one
  if (leavesTooMuch(rest, lo, hi, rows)) return null;
  const changes = new Int32Array(inFeatures);
  for (const [i, k] of columns.entries()) changes[k] = roundHalfEven(found[i]);
  if (uncertain > 1) repair(residuals, changes, columns);
  const isPossible = columns.every((k) => changes[k] === 0 || isWeight(k, changes[k]));
  if (isPossible && explainsAll(residuals, changes)) return { changes };
  return uncertain > 1 ? open : null;
}

function boundedRows(lo: Float64Array, hi: Float64Array): number[] {
  return [...lo.keys()].filter((row) => Number.isFinite(lo[row]) && Number.isFinite(hi[row]));
}

function middles(lo: Float64Array, hi: Float64Array, rows: readonly number[]): number[] {
  return rows.map((row) => (lo[row] + hi[row]) / 2);
}

/** Integers leave no less than reals do, and within the bounds no row leaves more than half of its own. */
function leavesTooMuch(rest: number, lo: Float64Array, hi: Float64Array, rows: readonly number[]): boolean {
  return rest > (1 + ROUNDED) * rows.reduce((sum, row) => sum + ((hi[row] - lo[row]) / 2) ** 2, 0);
}

/** Where a few of the rounded weights are likely one off: by the one that brings the sums nearest to what was observed, again and again. */
function repair(residuals: Residuals, changes: Int32Array, columns: readonly number[]): void {
  const { lo, hi, centred, inFeatures } = residuals;
  const sums = lo.map((_, row) => {
    return columns.reduce((sum, k) => sum + centred[row * inFeatures + k] * changes[k], 0);
  });
  const outside = (row: number, sum: number) => Math.max(0, lo[row] - sum, sum - hi[row]);
  let left = sums.reduce((total, sum, row) => total + outside(row, sum), 0);
  const turns = MOST_REPAIRS / (2 * columns.length * sums.length);
  for (let turn = 0; turn < turns && left > 0; turn++) {
    let best = { k: -1, by: 0, left };
    for (const k of columns) {
      for (const by of [1, -1]) {
        let total = 0;
        for (let row = 0; row < sums.length && total < best.left; row++) {
          total += outside(row, sums[row] + by * centred[row * inFeatures + k]);
        }
        if (total < best.left) best = { k, by, left: total };
      }
    }
    if (best.k < 0) return;
    changes[best.k] += best.by;
    for (let row = 0; row < sums.length; row++) sums[row] += best.by * centred[row * inFeatures + best.k];
    left = best.left;
  }
}

/** Null where they are there, and too many to be used. */
function more(samples: number, given: number): Solved | null {
  return samples > given ? { samples } : null;
}

/** A column of nothing but zero points says nothing of its weight, which stays. Null: there are more than `most`, as a few rows may tell. */
function usedColumns(
  { codes, zeroPoints, inFeatures }: Residuals,
  rows: readonly number[],
  most: number,
): number[] | null {
  const used = new Uint8Array(inFeatures);
  let count = 0;
  for (let r = 0; r < rows.length && count <= most; r++) {
    const zeroPoint = zeroPoints[rows[r]];
    for (let k = 0, i = rows[r] * inFeatures; k < inFeatures; k++, i++) {
      if (codes[i] === zeroPoint || used[k] === 1) continue;
      used[k] = 1;
      count++;
    }
  }
  return count > most ? null : [...used.keys()].filter((k) => used[k]);
}

function explainsAll({ lo, hi, centred, rows, inFeatures }: Residuals, changes: Int32Array): boolean {
  for (let row = 0; row < rows; row++) {
    let sum = 0;
    for (let k = 0; k < inFeatures; k++) sum += centred[row * inFeatures + k] * changes[k];
    if (sum < lo[row] || sum > hi[row]) return false;
  }
  return true;
}

interface System {
  /** Largest diagonal entry of the inverse of the Gram matrix. */
  readonly widest: number;
  /** The least squares, and what they leave. */
  solve(target: readonly number[]): { readonly found: Float64Array; readonly rest: number };
}

/** Channels share their activations, and mostly their rows. */
const systems = new WeakMap<Int32Array, Map<string, System | null>>();

function systemOf(
  centred: Int32Array,
  rows: readonly number[],
  columns: readonly number[],
  width: number,
): System | null {
  let known = systems.get(centred);
  if (!known) {
    known = new Map();
    systems.set(centred, known);
  }
  const key = `${rows.join()}|${columns.join()}`;
  let system = known.get(key);
  if (system === undefined) {
    known.clear();
    system = makeSystem(centred, rows, columns, width);
    known.set(key, system);
  }
  return system;
}

function makeSystem(
  centred: Int32Array,
  rows: readonly number[],
  columns: readonly number[],
  width: number,
): System | null {
  const n = columns.length;
  const x = new Float64Array(rows.length * n);
  for (const [r, row] of rows.entries()) {
    for (let i = 0; i < n; i++) x[r * n + i] = centred[row * width + columns[i]];
  }
  const factor = cholesky(gramOf(x, n), n);
  if (!factor) return null;
  let widest: number | null = null;
  return {
    get widest() {
      widest ??= widestOfInverse(factor, n);
      return widest;
    },
    solve(target) {
      const right = new Float64Array(n);
      let rest = 0;
      for (let r = 0; r < target.length; r++) {
        rest += target[r] ** 2;
        for (let i = 0; i < n; i++) right[i] += x[r * n + i] * target[r];
      }
      const half = forward(factor, right, n);
      for (const part of half) rest -= part ** 2;
      return { found: backward(factor, half, n), rest };
    },
  };
}

/** x' x, the lower triangle; integers, so that their order does not matter. Four rows at a time: a third of the time. */
function gramOf(x: Float64Array, n: number): Float64Array {
  const gram = new Float64Array(n * n);
  const rows = x.length / n;
  const padded = new Float64Array(4 * n);
  for (let row = 0; row < rows; row += 4) {
    const left = Math.min(4, rows - row);
    if (left < 4) padded.fill(0).set(x.subarray(row * n));
    const part = left < 4 ? padded : x.subarray(row * n, (row + 4) * n);
    for (let i = 0; i < n; i++) {
      const [a, b, c, d] = [part[i], part[n + i], part[2 * n + i], part[3 * n + i]];
      const at = i * n;
      for (let j = 0; j <= i; j++)
        gram[at + j] += a * part[j] + b * part[n + j] + c * part[2 * n + j] + d * part[3 * n + j];
    }
  }
  return gram;
}

/** In place, the lower factor L of L L'; null where columns depend on each other: then they are not determined. */
function cholesky(a: Float64Array, n: number): Float64Array | null {
  for (let j = 0; j < n; j++) {
    const whole = a[j * n + j];
    let pivot = whole;
    for (let r = 0; r < j; r++) pivot -= a[j * n + r] ** 2;
    if (pivot <= 1e-9 * whole) return null;
    const root = Math.sqrt(pivot);
    a[j * n + j] = root;
    for (let i = j + 1; i < n; i++) {
      let sum = a[i * n + j];
      for (let r = 0; r < j; r++) sum -= a[i * n + r] * a[j * n + r];
      a[i * n + j] = sum / root;
    }
  }
  return a;
}

/** L v = values. */
function forward(factor: Float64Array, values: Float64Array, n: number): Float64Array {
  for (let i = 0; i < n; i++) {
    let sum = values[i];
    for (let r = 0; r < i; r++) sum -= factor[i * n + r] * values[r];
    values[i] = sum / factor[i * n + i];
  }
  return values;
}

/** L' v = values. */
function backward(factor: Float64Array, values: Float64Array, n: number): Float64Array {
  for (let i = n - 1; i >= 0; i--) {
    let sum = values[i];
    for (let r = i + 1; r < n; r++) sum -= factor[r * n + i] * values[r];
    values[i] = sum / factor[i * n + i];
  }
  return values;
}

/** Entry (i, i) of the inverse is the squared length of column i of the inverse of L. */
function widestOfInverse(factor: Float64Array, n: number): number {
  let widest = 0;
  for (let i = 0; i < n; i++) {
    const column = new Float64Array(n);
    column[i] = 1 / factor[i * n + i];
    let length = column[i] ** 2;
    for (let row = i + 1; row < n; row++) {
      let sum = 0;
      for (let r = i; r < row; r++) sum -= factor[row * n + r] * column[r];
      column[row] = sum / factor[row * n + row];
      length += column[row] ** 2;
    }
    widest = Math.max(widest, length);
  }
  return widest;
}
