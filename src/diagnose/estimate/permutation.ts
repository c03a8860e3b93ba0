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
  const shift = shiftThatFits(count, allowed);
  if (shift !== null) return listed(count, (n) => (n + shift) % count);
  if (every(count, (n) => allowed(n, count - 1 - n))) return listed(count, (n) => count - 1 - n);
  return count <= MOST_FOR_MATCHING ? matching(count, allowed, valueFrom) : null;
}

/** Where one shift failed, by channel and by number, the next is asked first: a channel that admits few would be found last each time. */
function shiftThatFits(count: number, allowed: (n: number, from: number) => boolean): number | null {
  let [failed, missing] = [0, 0];
  for (let step = 1; step < count; step++) {
    const shift = step % 2 === 1 ? (step + 1) / 2 : count - step / 2;
    const takenFrom = (n: number) => (n + shift) % count;
    if (!allowed(failed, takenFrom(failed)) || !allowed((missing + count - shift) % count, missing)) continue;
    failed = firstThat(count, (n) => !allowed(n, takenFrom(n)));
    if (failed === count) return shift;
    missing = takenFrom(failed);
  }
  return null;
}

/** As a list: of orders that are found. */
export function listed(count: number, from: (n: number) => number): number[] {
  return Array.from({ length: count }, (_, n) => from(n));
}

/** Beyond these no person shifts a list. */
const MOST_ROTATIONS = 32;

/** Whose number each channel takes. */
export interface Order {
  readonly label: string;
  readonly found: { readonly shift: number } | { readonly permutation: readonly number[] };
  readonly from: (n: number) => number;
}

/** Of one that was found. */
export function orderOf(permutation: readonly number[]): Order {
  const shift = rotationOf(permutation);
  const from = (n: number) => permutation[n];
  if (shift !== undefined) return { label: `shift ${shift}`, found: { shift }, from };
  const isReversed = permutation.every((own, n) => own === permutation.length - 1 - n);
  return { label: isReversed ? 'reversed' : permutation.join(','), found: { permutation }, from };
}

/** The orders that a person makes by mistake: rotations by few places, and the reversal. */
export function rotations(count: number): Order[] {
  if (count < 3) return [];
  const few = Math.min(MOST_ROTATIONS / 2, count - 1);
  const ends = [...listed(few, (i) => 1 + i), ...listed(few, (i) => count - few + i)];
  const shifts = [...new Set(ends)].sort((a, b) => a - b);
  return [
    ...shifts.map((shift) => ({ label: `shift ${shift}`, found: { shift }, from: (n: number) => (n + shift) % count })),
    orderOf(listed(count, (n) => count - 1 - n)),
  ];
}

/** Lists of so many places that are read again and again, and each place for so many channels. */
const LENGTHS = [2, 4, 8, 16, 32, 64];

export interface Index {
  /** "n mod 4". */
  readonly by: string;
  readonly from: (n: number) => number;
}

/** Other indices than its own by which each channel n may take a number; of few channels any order is one of them. */
export function indices(count: number): Index[] {
  return LENGTHS.filter((length) => 2 * length <= count).flatMap((length) => [
    { by: `n mod ${length}`, from: (n) => n % length },
    { by: `n div ${length}`, from: (n) => Math.floor(n / length) },
  ]);
}

/** That by which all numbers are taken; null: by none, or each channel takes its own. */
export function findIndex(count: number, allowed: (n: number, from: number) => boolean): Index | null {
  if (identityFits(count, allowed)) return null;
  return indices(count).find(({ from }) => every(count, (n) => allowed(n, from(n)))) ?? null;
}

/** The order that it makes of so many channels. */
export function inOrderOf({ by, from }: Index, count: number): Order {
  return { label: by, found: { permutation: listed(count, from) }, from };
}

/** The rotation that a permutation is, or undefined. */
function rotationOf(permutation: readonly number[]): number | undefined {
  const shift = permutation[0];
  return permutation.every((from, n) => from === (n + shift) % permutation.length) ? shift : undefined;
}

function identityFits(count: number, allowed: (n: number, from: number) => boolean): boolean {
  return every(count, (n) => allowed(n, n));
}

function every(count: number, test: (n: number) => boolean): boolean {
  return firstThat(count, (n) => !test(n)) === count;
}

/** count: there is none. */
function firstThat(count: number, test: (n: number) => boolean): number {
  for (let n = 0; n < count; n++) if (test(n)) return n;
  return count;
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

export function permuteBias({ bias, biasInt32 }: Product, from: (n: number) => number): Partial<Product> {
  return { bias: bias && taken(bias, from), biasInt32: biasInt32 && taken(biasInt32, from) };
}

export function taken<A extends NumericArray>(values: A, from: (n: number) => number): A {
  const own = emptyLike(values, values.length);
  for (let n = 0; n < own.length; n++) own[n] = values[from(n)];
  return own;
}
