import type { NumericArray } from '../../nouns/array.js';
import type { Product } from '../../nouns/kernel.js';
import { emptyLike } from '../../numeric/array.js';

/** Beyond this the matching is not worth its time: no real permutation of scales is arbitrary. */
const MOST_FOR_MATCHING = 2048;

/**
 * Finds in which order declared values were used: channel n uses what is declared for permutation[n], which `allowed`
 * must admit. Rotations first, then reversal, then any matching. Null if there is none, if it is the identity, or if the
 * data do not determine it.
 */
export function findPermutation(
  count: number,
  allowed: (n: number, from: number) => boolean,
  valueFrom: (from: number) => number,
): number[] | null {
  if (count < 2 || identityFits(count, allowed)) return null;
  for (let step = 1; step < count; step++) {
    const shift = step % 2 === 1 ? (step + 1) / 2 : count - step / 2;
    if (every(count, (n) => allowed(n, (n + shift) % count)))
      return Array.from({ length: count }, (_, n) => (n + shift) % count);
  }
  if (every(count, (n) => allowed(n, count - 1 - n))) return Array.from({ length: count }, (_, n) => count - 1 - n);
  return count <= MOST_FOR_MATCHING ? matching(count, allowed, valueFrom) : null;
}

/** Beyond these no person shifts a list. */
const MOST_ROTATIONS = 32;

/** The orders that a person makes by mistake: rotations by few places, and the reversal. */
export function rotations(count: number): number[][] {
  if (count < 3) return [];
  const all = Array.from({ length: count }, (_, n) => n);
  const shifts = all.slice(1).filter((shift) => Math.min(shift, count - shift) * 2 <= MOST_ROTATIONS);
  return [...shifts.map((shift) => all.map((n) => (n + shift) % count)), all.map((n) => count - 1 - n)];
}

/** Lists of so many places that are read again and again, and each place for so many channels. */
const LENGTHS = [2, 4, 8, 16, 32, 64];

export interface Index {
  /** "n mod 4". */
  readonly by: string;
  readonly from: readonly number[];
}

/** Other indices than its own by which each channel n may take a number; of few channels any order is one of them. */
export function indices(count: number): Index[] {
  return LENGTHS.filter((length) => 2 * length <= count).flatMap((length) => {
    const all = Array.from({ length: count }, (_, n) => n);
    return [
      { by: `n mod ${length}`, from: all.map((n) => n % length) },
      { by: `n div ${length}`, from: all.map((n) => Math.floor(n / length)) },
    ];
  });
}

/** That by which all numbers are taken; null: by none, or each channel takes its own. */
export function findIndex(count: number, allowed: (n: number, from: number) => boolean): Index | null {
  if (identityFits(count, allowed)) return null;
  return indices(count).find(({ from }) => every(count, (n) => allowed(n, from[n]))) ?? null;
}
/** The rotation that a permutation is, or undefined. */
export function rotationOf(permutation: readonly number[]): number | undefined {
  const shift = permutation[0];
  return permutation.every((from, n) => from === (n + shift) % permutation.length) ? shift : undefined;
}

function identityFits(count: number, allowed: (n: number, from: number) => boolean): boolean {
  return every(count, (n) => allowed(n, n));
}

function every(count: number, test: (n: number) => boolean): boolean {
  for (let n = 0; n < count; n++) if (!test(n)) return false;
  return true;
}

/** Bipartite matching by augmenting paths; channels that fit their own value try it first. */
function matching(
  count: number,
  allowed: (n: number, from: number) => boolean,
  valueFrom: (from: number) => number,
): number[] | null {
  const options: number[][] = [];
  let total = 0;
  for (let n = 0; n < count; n++) {
    const fitting: number[] = [];
    for (let from = 0; from < count; from++) if (allowed(n, from)) fitting.push(from);
    if (fitting.length === 0) return null;
    fitting.sort((a, b) => Number(b === n) - Number(a === n));
    options.push(fitting);
    total += new Set(fitting.map(valueFrom)).size;
  }
  // too many values fit a channel: the data do not determine the order
  if (total > count * Math.max(2, count / 4)) return null;
  const owner = new Int32Array(count).fill(-1);
  for (let n = 0; n < count; n++) {
    if (!augment(n, options, owner, new Uint8Array(count))) return null;
  }
  const permutation = new Array<number>(count);
  owner.forEach((n, from) => {
    permutation[n] = from;
  });
  return permutation;
}

function augment(n: number, options: readonly number[][], owner: Int32Array, visited: Uint8Array): boolean {
  for (const from of options[n]) {
    if (visited[from]) continue;
    visited[from] = 1;
    if (owner[from] < 0 || augment(owner[from], options, owner, visited)) {
      owner[from] = n;
      return true;
    }
  }
  return false;
}

export function permuteBias({ bias, biasInt32 }: Product, permutation: readonly number[]): Partial<Product> {
  return { bias: bias && taken(bias, permutation), biasInt32: biasInt32 && taken(biasInt32, permutation) };
}

export function taken<A extends NumericArray>(values: A, from: readonly number[]): A {
  const own = emptyLike(values, from.length);
  for (let n = 0; n < own.length; n++) own[n] = values[from[n]];
  return own;
}
