/** Which sample is which, by how alike they are: whatever else is wrong with them moves all of a channel's values at once. */

import { largestOf } from '../../numeric/extremes.js';
import type { Study } from '../study/study.js';

/** Multiply-adds. */
const MOST_EFFORT = 3e8;
/** As alike as the most alike. */
const SAME = 1e-9;
/** The mean over all samples: of noise it is next to 0. */
const LEAST_ALIKE = 0.5;

/**
 * Of each observed sample: the replayed one that it is most like, if each of those is taken once; else all moved by one number, as far
 * as that makes them alike: of few channels many samples are. Null: they are in order, or in none.
 */
export function orderByLikeness(study: Study): number[] | null {
  const positions = study.data.positions ?? 1;
  const samples = (study.data.to - study.data.from) / positions;
  const width = positions * study.channels;
  if (!study.complete || samples < 3 || samples ** 2 * width > MOST_EFFORT) return null;
  const observed = normalized(study.subset.observed, samples, width);
  const replayed = normalized(study.values(study.declared), samples, width);
  const likeness = observed.map((own) => replayed.map((row) => dot(own, row)));
  const order = eachMostLike(likeness) ?? rotated(likeness);
  return order?.some((from, row) => from !== row) ? order : null;
}

type Likeness = readonly (readonly number[])[];

function eachMostLike(likeness: Likeness): number[] | null {
  const taken = new Set<number>();
  for (const own of likeness) {
    const most = largestOf(own);
    const from = own.findIndex((value, row) => value >= most - SAME && !taken.has(row));
    if (from < 0) return null;
    taken.add(from);
  }
  return [...taken];
}

function rotated(likeness: Likeness): number[] | null {
  const { length } = likeness;
  const moved = Array.from({ length }, (_, by) => likeness.map((_, row) => (row + by) % length));
  const alike = moved.map((order) => order.reduce((sum, from, row) => sum + likeness[row][from], 0) / length);
  const best = alike.indexOf(largestOf(alike));
  return alike[best] >= LEAST_ALIKE ? moved[best] : null;
}

/** Rows of length 1, each column about its mean. */
function normalized(values: ArrayLike<number>, rows: number, width: number): Float64Array[] {
  const means = new Float64Array(width);
  for (let i = 0; i < rows * width; i++) means[i % width] += values[i] / rows;
  return Array.from({ length: rows }, (_, row) => {
    const own = means.map((mean, n) => values[row * width + n] - mean);
    const length = Math.sqrt(dot(own, own));
    return length > 0 ? own.map((value) => value / length) : own;
  });
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i] * b[i];
  return sum;
}
