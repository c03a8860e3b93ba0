import { isPaired, type PairedAccumulateStep } from '../../kernels/steps/accumulate.js';
import type { Codes } from '../../types.js';
import { mapCodes, type Setup } from '../setup.js';
import type { Scope } from '../study.js';
import { everything, type Interval, isBounded } from './interval.js';
import type { View } from './view.js';

export interface Patch {
  readonly channel: number;
  readonly k: number;
  readonly declared: number;
  readonly found: number;
  /** Other places that explain the channel as well. */
  readonly alternatives?: readonly { readonly k: number; readonly found: number }[];
}

/** A value of w[channel, k] that would explain a channel. */
interface Fit {
  readonly k: number;
  readonly found: number;
}

/** One channel's samples: what the observation allows the accumulator to be off by, in accumulator units. */
interface Residuals {
  readonly lo: Float64Array;
  readonly hi: Float64Array;
  /** Activations minus zero point, [rows, inFeatures]. */
  readonly centred: Float64Array;
  readonly rows: number;
  readonly inFeatures: number;
}

const MOST_WEIGHTS = 8;
const MOST_ALTERNATIVES = 4;
const WORST_ROWS = 24;

/**
 * Which weights of a channel differ from the file, so that every observed value of the channel is explained:
 * one weight if one suffices, otherwise a few by matching pursuit. Null if nothing fits or the data do not determine it.
 * @param column the channel's place in the scope
 * @param differing values of this channel that support the search; p weights need 2p + 1
 */
export function findWeights(scope: Scope, base: Setup, view: View, column: number, differing: number): Patch[] | null {
  if (differing < 3) return null;
  const channel = scope.channels?.[column] ?? column;
  const x = mapCodes(scope.x as Codes, base.readX);
  const residuals = residualsOf(x, base, view, column);
  const step = base.kernel.accumulate;
  const saturating = isPaired(step) && step.applies(base.linear);
  const fits = saturating
    ? singleUnderSaturation(x, base, step, residuals, channel)
    : singleWeights(base, residuals, channel);
  const places = new Set(fits.map((fit) => fit.k));
  // with few values several places fit by accident
  if (places.size > 1 && (places.size > 3 || differing <= 12)) return null;
  if (fits.length > 0) return [patchOf(base, channel, fits)];
  return saturating ? null : severalWeights(base, residuals, channel, differing);
}

function patchOf({ linear }: Setup, channel: number, fits: readonly Fit[]): Patch {
  // the middle of the values that fit
  const { k, found } = fits[Math.floor((fits.length - 1) / 2)];
  const alternatives = fits.filter((fit) => fit.k !== k || fit.found !== found).slice(0, MOST_ALTERNATIVES);
  const patch = { channel, k, declared: linear.weight[channel * linear.inFeatures + k], found };
  return alternatives.length === 0 ? patch : { ...patch, alternatives };
}

function residualsOf(x: Codes, base: Setup, view: View, column: number): Residuals {
  const zeroPoint = base.linear.input.zeroPoint;
  const unit = view.stepsPerUnit[column];
  const lo = new Float64Array(view.rows);
  const hi = new Float64Array(view.rows);
  for (let row = 0; row < view.rows; row++) {
    const i = row * view.channels + column;
    const declared = view.acc[i] + view.biasSteps[column] / unit;
    // 1e-3 of a step: the kernel's float32 roundings
    lo[row] = view.lo[i] / unit - declared - 1e-3 / unit;
    hi[row] = view.hi[i] / unit - declared + 1e-3 / unit;
  }
  return {
    lo,
    hi,
    centred: centredCodes(x, zeroPoint),
    rows: view.rows,
    inFeatures: x.cols,
  };
}

const centredOf = new WeakMap<object, Map<number, Float64Array>>();

/** The same for every channel and base of a scope. */
function centredCodes(x: Codes, zeroPoint: number): Float64Array {
  const known = centredOf.get(x.data) ?? new Map<number, Float64Array>();
  centredOf.set(x.data, known);
  let centred = known.get(zeroPoint);
  if (!centred) {
    centred = new Float64Array(x.data);
    for (let i = 0; i < centred.length; i++) centred[i] -= zeroPoint;
    known.set(zeroPoint, centred);
  }
  return centred;
}

/** Every (k, value) that alone explains the channel: dw * (x_k - x_zero_point) within the residual bounds of all rows. */
function singleWeights({ linear }: Setup, residuals: Residuals, channel: number): Fit[] {
  const { lo, hi, centred, rows, inFeatures } = residuals;
  const fits: Fit[] = [];
  for (let k = 0; k < inFeatures; k++) {
    const interval: Interval = everything();
    for (let row = 0; row < rows && interval.lo <= interval.hi; row++) {
      const slope = centred[row * inFeatures + k];
      if (slope === 0) {
        if (lo[row] > 0 || hi[row] < 0) interval.hi = Number.NEGATIVE_INFINITY;
        continue;
      }
      const a = lo[row] / slope;
      const b = hi[row] / slope;
      interval.lo = Math.max(interval.lo, slope > 0 ? a : b);
      interval.hi = Math.min(interval.hi, slope > 0 ? b : a);
    }
    if (!isBounded(interval) || interval.lo > interval.hi) continue;
    const declared = linear.weight[channel * inFeatures + k];
    for (
      let found = Math.max(-128, Math.ceil(declared + interval.lo));
      found <= Math.min(127, declared + interval.hi);
      found++
    ) {
      if (found !== declared) fits.push({ k, found });
    }
  }
  return fits;
}

/** The same where pair sums saturate: w is not linear there, so each value of each weight re-sums its own pair. */
function singleUnderSaturation(
  codes: Codes,
  base: Setup,
  step: PairedAccumulateStep,
  residuals: Residuals,
  channel: number,
): Fit[] {
  const { lo, hi, rows, inFeatures } = residuals;
  const x = codes.data;
  const { weight, input } = base.linear;
  const partner = partners(step, inFeatures);
  const shift = step.codeShift(base.linear);
  const order = Array.from({ length: rows }, (_, row) => row).sort(
    (a, b) => badness(lo[b], hi[b]) - badness(lo[a], hi[a]),
  );
  const worst = order.slice(0, WORST_ROWS);
  const offset = channel * inFeatures;
  const explainsRow = (row: number, k: number, found: number) => {
    const declared = weight[offset + k];
    const other = partner[k];
    const rest = other < 0 ? 0 : (x[row * inFeatures + other] + shift) * weight[offset + other];
    const code = x[row * inFeatures + k] + shift;
    const kept = (sum: number) => sum - step.loss(sum);
    const change = kept(code * found + rest) - kept(code * declared + rest);
    const corrected = change - (input.zeroPoint + shift) * (found - declared);
    return corrected >= lo[row] && corrected <= hi[row];
  };
  const fits: Fit[] = [];
  for (let k = 0; k < inFeatures; k++) {
    for (let found = -128; found <= 127; found++) {
      if (found === weight[offset + k]) continue;
      if (worst.every((row) => explainsRow(row, k, found)) && order.every((row) => explainsRow(row, k, found)))
        fits.push({ k, found });
    }
  }
  return fits;
}

/** How far the declared weight is outside of what a row allows. */
function badness(lo: number, hi: number): number {
  return Math.max(lo, -hi, 0);
}

/** partner[k]: the other k of k's pair, or -1. */
function partners(step: PairedAccumulateStep, inFeatures: number): Int32Array {
  const { first, second } = step.pairs(inFeatures);
  const partner = new Int32Array(inFeatures).fill(-1);
  first.forEach((k, p) => {
    if (second[p] < 0) return;
    partner[k] = second[p];
    partner[second[p]] = k;
  });
  return partner;
}

/** Matching pursuit: adds the weight that explains most of the residual, refits all by least squares, rounds, checks. */
function severalWeights({ linear }: Setup, residuals: Residuals, channel: number, differing: number): Patch[] | null {
  const { lo, hi, centred, inFeatures } = residuals;
  const rows = [...lo.keys()].filter((row) => Number.isFinite(lo[row]) && Number.isFinite(hi[row]));
  const target = rows.map((row) => (lo[row] + hi[row]) / 2);
  const support: number[] = [];
  let left = target;
  while (support.length < MOST_WEIGHTS && 2 * (support.length + 1) + 1 <= differing) {
    const next = bestCorrelated(rows, centred, inFeatures, left, support);
    if (next < 0) return null;
    support.push(next);
    const real = leastSquares(rows, centred, inFeatures, support, target);
    if (!real) return null;
    const rounded = real.map((v) => Math.floor(v + 0.5));
    left = rows.map((row, r) => target[r] - dot(centred, row * inFeatures, support, real));
    if (support.length < 2 || rounded.some((v) => v === 0)) continue;
    const fitsAll = Array.from(lo.keys()).every((row) => {
      const change = dot(centred, row * inFeatures, support, rounded);
      return change >= lo[row] && change <= hi[row];
    });
    if (!fitsAll) continue;
    const patches = support.map((k, i) => {
      const declared = linear.weight[channel * inFeatures + k];
      return { channel, k, declared, found: declared + rounded[i] };
    });
    return patches.every((p) => p.found >= -128 && p.found <= 127) ? patches : null;
  }
  return null;
}

function bestCorrelated(
  rows: readonly number[],
  centred: Float64Array,
  inFeatures: number,
  left: readonly number[],
  taken: readonly number[],
): number {
  let best = -1;
  let most = 0;
  for (let k = 0; k < inFeatures; k++) {
    if (taken.includes(k)) continue;
    let product = 0;
    let norm = 0;
    for (let r = 0; r < rows.length; r++) {
      const value = centred[rows[r] * inFeatures + k];
      product += value * left[r];
      norm += value * value;
    }
    const score = norm === 0 ? 0 : (product * product) / norm;
    if (score > most) {
      most = score;
      best = k;
    }
  }
  return best;
}

/** Normal equations by Gaussian elimination; null where they are singular. */
function leastSquares(
  rows: readonly number[],
  centred: Float64Array,
  inFeatures: number,
  support: readonly number[],
  target: readonly number[],
): number[] | null {
  const n = support.length;
  const matrix = support.map((a) => [
    ...support.map((b) =>
      rows.reduce((sum, row) => sum + centred[row * inFeatures + a] * centred[row * inFeatures + b], 0),
    ),
    rows.reduce((sum, row, r) => sum + centred[row * inFeatures + a] * target[r], 0),
  ]);
  for (let column = 0; column < n; column++) {
    let pivot = column;
    for (let r = column + 1; r < n; r++) if (Math.abs(matrix[r][column]) > Math.abs(matrix[pivot][column])) pivot = r;
    if (Math.abs(matrix[pivot][column]) < 1e-9) return null;
    [matrix[column], matrix[pivot]] = [matrix[pivot], matrix[column]];
    for (let r = 0; r < n; r++) {
      if (r === column) continue;
      const factor = matrix[r][column] / matrix[column][column];
      for (let c = column; c <= n; c++) matrix[r][c] -= factor * matrix[column][c];
    }
  }
  return matrix.map((row, i) => row[n] / row[i]);
}

function dot(centred: Float64Array, at: number, support: readonly number[], factors: readonly number[]): number {
  return support.reduce((sum, k, i) => sum + centred[at + k] * factors[i], 0);
}
