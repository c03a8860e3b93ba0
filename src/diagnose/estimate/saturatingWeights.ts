/**
 * Several wrong weights where sums of pairs saturate: a sum is not linear in them there, so every value of every weight is tried,
 * one weight after the other, as long as that brings the channel nearer to what was observed.
 */

import type { Codes } from '../../nouns/kernel.js';
import { float64s } from '../../numeric/array.js';
import { spread } from '../study/arrays.js';
import type { Residuals } from './severalWeights.js';

export interface PairedChannel {
  readonly codes: Codes;
  /** Of the channel, as declared. */
  readonly weights: ArrayLike<number>;
  /** The other k of k's pair, or -1. */
  readonly partner: Int32Array;
  /** Added to codes before they are multiplied. */
  readonly shift: number;
  /** What a pair's sum loses. */
  readonly loss: (sum: number) => number;
  /** Of each row. */
  readonly zeroPoints: Int32Array;
  readonly range: readonly [least: number, most: number];
}

export interface ChangedWeight {
  readonly k: number;
  readonly found: number;
  /** Other values of it that do as well, the other weights as found. */
  readonly others?: readonly number[];
}

const MOST_WEIGHTS = 4;
/** Of two weights: 2p + 1. */
const FEWEST_DIFFERING = 5;
/** Rows that lead the way; all rows judge the result. */
const MOST_ROWS = 96;
const MOST_EFFORT = 3e8;
const MOST_PASSES = 12;

/** Null: none, or other places do as well. p weights need 2p + 1 differing values. */
export function severalUnderSaturation(
  channel: PairedChannel,
  residuals: Residuals,
  differing: number,
): ChangedWeight[] | null {
  if (differing < FEWEST_DIFFERING) return null;
  const { rows, inFeatures } = residuals;
  const values = channel.range[1] - channel.range[0] + 1;
  const leading = leadingRows(residuals);
  if (leading.length * inFeatures * values * MOST_PASSES > MOST_EFFORT) return null;
  const all = Array.from({ length: rows }, (_, row) => row);
  const state = new Weights(channel, residuals, leading);
  const most = Math.min(MOST_WEIGHTS, (differing - 1) / 2);
  for (let left = MOST_PASSES; left > 0 && state.cost > 0; left--) {
    // each that is left makes one weight what it was, at the most
    if (state.changed().length - left > most || !state.improve()) return null;
  }
  const changed = state.changed();
  if (state.cost > 0 || changed.length < 2 || changed.length > most) return null;
  const judge = new Weights(channel, residuals, all, state.now);
  if (judge.cost > 0) return null;
  const determined: ChangedWeight[] = [];
  for (const one of changed) {
    const others = judge.otherValues(one.k);
    if (!others) return null;
    determined.push({ ...one, others });
  }
  return determined;
}

/** About how many multiply-adds that takes. */
export function pairedEffort(inFeatures: number): number {
  return MOST_ROWS * inFeatures * 256 * MOST_WEIGHTS;
}

/** Those that are farthest off, and some of the others. */
function leadingRows({ lo, hi, rows }: Residuals): number[] {
  const off = (row: number) => Math.max(lo[row], -hi[row], 0);
  const order = Array.from({ length: rows }, (_, row) => row).sort((a, b) => off(b) - off(a));
  return [...order.slice(0, MOST_ROWS / 2), ...spread(order.slice(MOST_ROWS / 2), MOST_ROWS / 2)];
}

/** What of a row's sum changes with a weight: its shifted code, its partner's product, the shifted zero point, and its share as it is. */
interface Terms {
  readonly code: number;
  readonly rest: number;
  readonly zero: number;
  readonly share: number;
}

/** A channel's weights as they are tried, and how far each row still is from what it may be. */
class Weights {
  readonly now: Int32Array;
  /** By row: what the changes so far add to its sum. */
  private readonly added: Float64Array;

  constructor(
    private readonly channel: PairedChannel,
    private readonly residuals: Residuals,
    private readonly rows: readonly number[],
    now: ArrayLike<number> = channel.weights,
  ) {
    this.now = Int32Array.from(now);
    const declared = Int32Array.from(channel.weights);
    this.added = float64s(rows, (row) => this.sumOf(row, this.now) - this.sumOf(row, declared));
  }

  /** Squared distances from what the rows allow. */
  get cost(): number {
    let cost = 0;
    this.rows.forEach((row, r) => {
      cost += this.squared(row, this.added[r]);
    });
    return cost;
  }

  /** Changes the one weight, to the one value, that helps most; false: none does. */
  improve(): boolean {
    let best = { k: -1, found: 0, cost: this.cost };
    for (let k = 0; k < this.now.length; k++) {
      const one = this.bestValue(k, best.cost);
      if (one) best = { k, ...one };
    }
    if (best.k < 0) return false;
    this.rows.forEach((row, r) => {
      this.added[r] += this.change(row, best.k, best.found);
    });
    this.now[best.k] = best.found;
    return true;
  }

  changed(): ChangedWeight[] {
    const { weights } = this.channel;
    return [...this.now.keys()].filter((k) => this.now[k] !== weights[k]).map((k) => ({ k, found: this.now[k] }));
  }

  /** Other values of a weight that do as well, the other weights as found; null where another weight does too. */
  otherValues(own: number): number[] | null {
    const { weights } = this.channel;
    const without = Int32Array.from(this.now);
    without[own] = weights[own];
    const rest = new Weights(this.channel, this.residuals, this.rows, without);
    const [least, most] = this.channel.range;
    const others: number[] = [];
    for (let k = 0; k < this.now.length; k++) {
      for (let found = least; found <= most; found++) {
        const isThis = found === (k === own ? this.now[k] : without[k]);
        if (isThis || !rest.explains(k, found)) continue;
        if (k !== own) return null;
        others.push(found);
      }
    }
    return others;
  }

  private explains(k: number, found: number): boolean {
    return this.rows.every((row, r) => this.squared(row, this.added[r] + this.change(row, k, found)) === 0);
  }

  private bestValue(k: number, limit: number): { found: number; cost: number } | null {
    const [least, most] = this.channel.range;
    const terms = this.rows.map((row) => this.termsOf(row, k));
    let best: { found: number; cost: number } | null = null;
    for (let found = least; found <= most; found++) {
      if (found === this.now[k]) continue;
      const bound = best?.cost ?? limit;
      let cost = 0;
      for (let r = 0; r < terms.length && cost < bound; r++) {
        cost += this.squared(this.rows[r], this.added[r] + this.changeBy(terms[r], found));
      }
      if (cost < bound) best = { found, cost };
    }
    return best;
  }

  private squared(row: number, added: number): number {
    const { lo, hi } = this.residuals;
    const off = Math.max(lo[row] - added, added - hi[row], 0);
    return off * off;
  }

  /** Of a row's sum, where weight k becomes another. */
  private change(row: number, k: number, found: number): number {
    return this.changeBy(this.termsOf(row, k), found);
  }

  private termsOf(row: number, k: number): Terms {
    const { codes, partner, shift, loss, zeroPoints } = this.channel;
    const start = row * codes.cols;
    const other = partner[k];
    const rest = other < 0 ? 0 : (codes.data[start + other] + shift) * this.now[other];
    const code = codes.data[start + k] + shift;
    const zero = zeroPoints[row] + shift;
    const pair = code * this.now[k] + rest;
    return { code, rest, zero, share: pair - loss(pair) - zero * this.now[k] };
  }

  private changeBy({ code, rest, zero, share }: Terms, found: number): number {
    const pair = code * found + rest;
    return pair - this.channel.loss(pair) - zero * found - share;
  }

  /** The channel's sum of a row; its zero points are only those of the activations, since others stay as they are. */
  private sumOf(row: number, weights: Int32Array): number {
    const { codes, partner, shift, loss, zeroPoints } = this.channel;
    const start = row * codes.cols;
    let sum = 0;
    for (let k = 0; k < weights.length; k++) {
      const other = partner[k];
      const code = codes.data[start + k] + shift;
      sum -= (zeroPoints[row] + shift) * weights[k];
      if (other >= 0 && other < k) continue;
      const pair = code * weights[k] + (other < 0 ? 0 : (codes.data[start + other] + shift) * weights[other]);
      sum += pair - loss(pair);
    }
    return sum;
  }
}
