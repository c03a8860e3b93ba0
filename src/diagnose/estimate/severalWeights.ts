import type { Codes } from '../../nouns/kernel.js';
import { float64s } from '../../numeric/array.js';
import { largestFirst } from '../../numeric/extremes.js';
import { spread } from '../study/arrays.js';
import { backward, forward, inverseDiagonal } from './triangular.js';

/** One channel's samples: what the observation allows the accumulator to be off by, in accumulator units. */
export interface Residuals {
  readonly lo: Float64Array;
  readonly hi: Float64Array;
  /** The bounds are a rounding's: true values are anywhere in them. Those of floats hold errors that all rows may share. */
  readonly rounded: boolean;
  /** Activations, [rows, inFeatures], and the zero point of each row. */
  readonly codes: Codes['data'];
  readonly zeroPoints: Int32Array;
  /** Activations minus their row's zero point: made when asked for. */
  readonly centred: Int32Array;
  readonly rows: number;
  readonly inFeatures: number;
}

/** One weight of several: what has to be added to w[k]. */
export interface Correction {
  readonly k: number;
  readonly change: number;
  /** Other changes that do as well, if the other weights move with it. */
  readonly others: readonly number[];
}

const MOST_WEIGHTS = 8;
/** Rows that choose the places; all rows judge the result. */
const MOST_ROWS = 512;
/** First places from which pairs are tried. */
const STARTS = 16;
/** Integer points tried around a least-squares solution, and those that fit: with more the data do not determine it. */
const MOST_POINTS = 1 << 14;
const MOST_FOUND = 32;
/** Columns that are solved all at once, where rows are enough. */
const MOST_COLUMNS = 256;
/** Numbers of columns that are kept: of 500,000 inputs those of each place took 200 MB. */
const MOST_KEPT = 1 << 23;
/** Of the whole target: what double precision may make of it. */
const ROUNDED = 1e-6;
/** Other places that the least squares admit, of which each is refuted by its integers. */
const MOST_RIVALS = 64;

/**
 * Integer changes of a few weights, `lo <= sum of centred[row, k] * change <= hi` in every row: the fewest places, by least
 * squares with exchange, then the integers near the solution. p places need 2p + 1 differing values. Null if there are none,
 * or if other places do as well. More than one answer, best first: the bounds leave more than one value open.
 */
export function solveTogether(
  residuals: Residuals,
  differing: number,
  isWeight: (k: number, change: number) => boolean,
): Correction[][] | null {
  if (differing < 5) return null;
  const fit = new LeastSquares(residuals);
  if (fit.refutesAll()) return null;
  let support = fit.bestPair();
  for (let size = 2; support && size <= MOST_WEIGHTS && 2 * size + 1 <= differing; size++) {
    support = fit.leastOf([size > 2 ? fit.grown(support) : support, fit.mostSignificant(size)]);
    if (!support) return null;
    if (!fit.admits(support)) continue;
    const points = integersNear(fit, residuals, support, isWeight);
    if (points === null) return null;
    if (points.length === 0) continue;
    if (hasRival(fit, residuals, support, isWeight)) return null;
    const places = support;
    return fit.nearestFirst(support, points).map((point) =>
      places.map((k, i) => {
        const others = new Set(points.map((other) => other[i]));
        others.delete(point[i]);
        return { k, change: point[i], others: [...others] };
      }),
    );
  }
  return null;
}

/** About how many multiply-adds that takes: the columns of the Gram matrix that it needs. */
export function effortOf(rows: number, inFeatures: number): number {
  return (STARTS + 2 * MOST_WEIGHTS) * Math.min(rows, MOST_ROWS) * inFeatures;
}

/** Whether the same number of places, one of them another, does as well. */
function hasRival(
  fit: LeastSquares,
  residuals: Residuals,
  support: readonly number[],
  isWeight: (k: number, change: number) => boolean,
): boolean {
  const rivals = fit.rivalsOf(support);
  if (rivals.length > MOST_RIVALS) return true;
  return rivals.some((rival) => integersNear(fit, residuals, rival, isWeight)?.length !== 0);
}

/**
 * Integer points that satisfy every row, none of them 0 in any place, among those that the least squares admit: a depth-first
 * search of the ellipsoid by its Cholesky factor, nearest values first. Null if there are too many to try, or too many that do.
 */
function integersNear(
  fit: LeastSquares,
  residuals: Residuals,
  support: readonly number[],
  isWeight: (k: number, change: number) => boolean,
): number[][] | null {
  const solution = fit.solve(support);
  if (!solution) return null;
  const { factor, centre, rest } = solution;
  const point = new Array<number>(support.length).fill(0);
  const found: number[][] = [];
  let visited = 0;
  const descend = (i: number, left: number): void => {
    if (i < 0) {
      if (explainsAll(residuals, support, point)) found.push([...point]);
      return;
    }
    // |factor (point - centre)|^2 <= left, row by row from the last
    let shift = 0;
    for (let j = i + 1; j < support.length; j++) shift += factor[i][j] * (point[j] - centre[j]);
    const middle = centre[i] - shift / factor[i][i];
    const reach = Math.sqrt(Math.max(0, left)) / factor[i][i];
    for (const value of integersAround(middle, reach)) {
      if (++visited > MOST_POINTS || found.length >= MOST_FOUND) return;
      if (value === 0 || !isWeight(support[i], value)) continue;
      point[i] = value;
      descend(i - 1, left - (factor[i][i] * (value - middle)) ** 2);
    }
  };
  descend(support.length - 1, fit.noise - rest);
  return visited > MOST_POINTS || found.length >= MOST_FOUND ? null : found;
}

/** Integers within reach, nearest first; a weight changes by 255 at most. */
function integersAround(middle: number, reach: number): number[] {
  const first = Math.ceil(Math.max(middle - reach, -255));
  const count = Math.floor(Math.min(middle + reach, 255)) - first + 1;
  return Array.from({ length: Math.max(0, count) }, (_, i) => first + i).sort(
    (a, b) => Math.abs(a - middle) - Math.abs(b - middle),
  );
}

function explainsAll(
  { lo, hi, centred, rows, inFeatures }: Residuals,
  support: readonly number[],
  changes: readonly number[],
): boolean {
  for (let row = 0; row < rows; row++) {
    let change = 0;
    for (let i = 0; i < support.length; i++) change += centred[row * inFeatures + support[i]] * changes[i];
    if (change < lo[row] || change > hi[row]) return false;
  }
  return true;
}

/** Least squares of the residuals' middles on a few columns of the activations, by columns of the Gram matrix. */
class LeastSquares {
  /** How much of the squared residuals rounding may leave: errors uniform in the bounds, and five standard deviations. */
  readonly noise: number;
  private readonly rows: readonly number[];
  private readonly target: Float64Array;
  private readonly total: number;
  /** By k: |x_k|^2, and x_k times the target. */
  private readonly norms: Float64Array;
  private readonly products: Float64Array;
  private readonly columns = new Map<number, Float64Array>();
  /** By the places that it is added to. */
  private readonly additions = new Map<string, number | null>();
  /** The least squares of all columns, once they are made; null: there are too many, or they are singular. */
  private whole: ReturnType<LeastSquares['solveWhole']> | undefined;
  /** Places by significance in these; null: not yet made. */
  private ranking: readonly number[] | null = null;

  constructor(private readonly residuals: Residuals) {
    const { lo, hi, inFeatures, centred } = residuals;
    this.rows = someRows(lo, hi);
    this.target = float64s(this.rows, (row) => (lo[row] + hi[row]) / 2);
    let [second, fourth] = [0, 0];
    for (const row of this.rows) {
      const half = (hi[row] - lo[row]) / 2;
      second += half ** 2;
      fourth += half ** 4;
    }
    this.noise = residuals.rounded ? second / 3 + 5 * Math.sqrt((4 / 45) * fourth) : second;
    this.total = this.target.reduce((sum, t) => sum + t * t, 0);
    this.norms = new Float64Array(inFeatures);
    this.products = new Float64Array(inFeatures);
    for (const [r, row] of this.rows.entries())
      for (let k = 0, i = row * inFeatures; k < inFeatures; k++, i++) {
        this.norms[k] += centred[i] * centred[i];
        this.products[k] += centred[i] * this.target[r];
      }
  }

  /** The two places that leave least, from the best first ones. */
  bestPair(): number[] | null {
    const { inFeatures } = this.residuals;
    if (this.rows.length < 5 || inFeatures < 2) return null;
    const score = (k: number) => (this.norms[k] === 0 ? 0 : this.products[k] ** 2 / this.norms[k]);
    const starts = largestFirst(
      this.norms.map((_, k) => score(k)),
      STARTS,
      (k) => this.norms[k] > 0,
    );
    return this.leastOf(starts.map((k) => this.grown([k])));
  }

  /** One place more, then places exchanged one by one as long as that leaves less. */
  grown(support: readonly number[]): number[] | null {
    const next = this.bestAddition(support);
    return next === null ? null : this.exchanged([...support, next]);
  }

  /** The places that stand out when all columns are solved at once (inputs that go together mislead a search place by place). */
  mostSignificant(size: number): number[] | null {
    this.ranking ??= this.significances();
    return this.ranking.length < size ? null : this.exchanged(this.ranking.slice(0, size));
  }

  private exchanged(support: readonly number[]): number[] {
    let best = [...support];
    for (let pass = 0; pass < MOST_WEIGHTS; pass++) {
      const other = this.leastOf(best.map((_, j) => this.withAnother(best, j)));
      if (!other || this.left(other) >= this.left(best) * (1 - 1e-12)) break;
      best = other;
    }
    return best;
  }

  /** Whether all columns at once leave more than rounding can: no few of them leave less. */
  refutesAll(): boolean {
    this.whole ??= this.solveWhole();
    return this.whole !== null && this.whole.rest > this.noise + ROUNDED * this.total;
  }

  private solveWhole() {
    const all = [...this.norms.keys()].filter((k) => this.norms[k] > 0);
    if (all.length > MOST_COLUMNS || this.rows.length < 1.2 * all.length) return null;
    const solution = this.solve(all);
    return solution && { all, ...solution };
  }

  private significances(): number[] {
    this.whole ??= this.solveWhole();
    if (!this.whole) return [];
    const { all, centre, factor } = this.whole;
    const score = new Map(all.map((k, i) => [k, centre[i] ** 2 / inverseDiagonal(factor, i)]));
    return [...all].sort((a, b) => score.get(b)! - score.get(a)!).slice(0, MOST_WEIGHTS);
  }

  /** Whether rounding alone can have left what these places leave. */
  admits(support: readonly number[]): boolean {
    return this.left(support) <= this.noise;
  }

  /** By what they leave. */
  nearestFirst(support: readonly number[], points: readonly number[][]): number[][] {
    const { factor, centre } = this.solve(support)!;
    const distance = (point: readonly number[]) =>
      factor.reduce((sum, row, i) => {
        const part = row.reduce((dot, u, j) => (j < i ? dot : dot + u * (point[j] - centre[j])), 0);
        return sum + part * part;
      }, 0);
    return [...points].sort((a, b) => distance(a) - distance(b));
  }

  /** The same places but for one, where the least squares admit that. */
  rivalsOf(support: readonly number[]): number[][] {
    return support.flatMap((_, j) => {
      const kept = support.filter((_, i) => i !== j);
      const gains = this.gains(kept);
      if (!gains) return [];
      const rest = this.left(kept);
      const rivals: number[][] = [];
      gains.forEach((gain, k) => {
        if (rest - gain <= this.noise && !support.includes(k)) rivals.push([...kept, k]);
      });
      return rivals;
    });
  }

  /** The real solution (`centre`), what it leaves, and the upper Cholesky factor of the Gram matrix. Null: singular. */
  solve(support: readonly number[]): { factor: number[][]; centre: number[]; rest: number } | null {
    const factor = this.cholesky(support);
    if (!factor) return null;
    const half = this.targetIn(factor, support);
    return { factor, centre: backward(factor, half), rest: this.restOf(half) };
  }

  private restOf(half: readonly number[]): number {
    return this.total - half.reduce((sum, v) => sum + v * v, 0);
  }

  /** The target in the orthonormal basis that the factor makes of the support's columns. */
  private targetIn(factor: readonly number[][], support: readonly number[]): number[] {
    const products = support.map((k) => this.products[k]);
    return forward(factor, products);
  }

  private left(support: readonly number[]): number {
    const factor = this.cholesky(support);
    return factor ? this.restOf(this.targetIn(factor, support)) : Infinity;
  }

  leastOf(supports: readonly (number[] | null)[]): number[] | null {
    let best: number[] | null = null;
    let least = Number.POSITIVE_INFINITY;
    for (const support of supports) {
      if (!support) continue;
      const left = this.left(support);
      if (best && !(left < least)) continue;
      [best, least] = [support, left];
    }
    return best;
  }

  private withAnother(support: readonly number[], j: number): number[] | null {
    const kept = support.filter((_, i) => i !== j);
    const next = this.bestAddition(kept);
    return next === null ? null : [...kept, next];
  }

  /** The same is asked for from one start after the other. */
  private bestAddition(support: readonly number[]): number | null {
    const key = support.join();
    let best = this.additions.get(key);
    if (best === undefined) {
      const gains = this.gains(support);
      best = (gains && largestFirst(gains, 1, (k) => gains[k] > 0)[0]) ?? null;
      this.additions.set(key, best);
    }
    return best;
  }

  /** By k: how much less the support leaves with k in addition. */
  private gains(support: readonly number[]): Float64Array | null {
    const factor = this.cholesky(support);
    if (!factor) return null;
    const half = this.targetIn(factor, support);
    const columns = support.map((k) => this.column(k));
    const gains = new Float64Array(this.norms.length);
    const projected = new Float64Array(support.length); // made once: of 500,000 inputs lists took most of a search
    for (let k = 0; k < gains.length; k++) {
      let [squares, alike] = [0, 0];
      for (let i = 0; i < projected.length; i++) {
        let sum = columns[i][k];
        for (let r = 0; r < i; r++) sum -= factor[r][i] * projected[r];
        const own = sum / factor[i][i];
        projected[i] = own;
        squares += own * own;
        alike += own * half[i];
      }
      const own = this.norms[k] - squares;
      if (own > 1e-9 * this.norms[k]) gains[k] = (this.products[k] - alike) ** 2 / own;
    }
    for (const k of support) gains[k] = 0;
    return gains;
  }

  /** Upper triangular U with U' U = Gram matrix. */
  private cholesky(support: readonly number[]): number[][] | null {
    const factor = support.map(() => new Array<number>(support.length).fill(0));
    for (let j = 0; j < support.length; j++) {
      const column = this.column(support[j]);
      for (let i = 0; i <= j; i++) {
        let sum = column[support[i]];
        for (let r = 0; r < i; r++) sum -= factor[r][i] * factor[r][j];
        if (i < j) factor[i][j] = sum / factor[i][i];
        else if (sum <= 1e-9 * column[support[j]]) return null;
        else factor[j][j] = Math.sqrt(sum);
      }
    }
    return factor;
  }

  /** x_k times every column. */
  private column(k: number): Float64Array {
    let column = this.columns.get(k);
    if (!column) {
      const { centred, inFeatures } = this.residuals;
      column = new Float64Array(inFeatures);
      for (const row of this.rows) {
        const start = row * inFeatures;
        const x = centred[start + k];
        if (x !== 0) for (let other = 0; other < inFeatures; other++) column[other] += x * centred[start + other];
      }
      if ((this.columns.size + 1) * inFeatures > MOST_KEPT) this.columns.delete(this.columns.keys().next().value!);
      this.columns.set(k, column);
    }
    return column;
  }
}

/** Bounded rows, evenly spaced where there are many. */
function someRows(lo: Float64Array, hi: Float64Array): number[] {
  const bounded = [...lo.keys()].filter((row) => Number.isFinite(lo[row]) && Number.isFinite(hi[row]));
  return spread(bounded, MOST_ROWS);
}
