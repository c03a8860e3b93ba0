/** Which products are added at int16 before the int32 sum, and how sums of such pairs are written in numpy and in C. */
import type { Product } from '../../nouns/kernel.js';
import type { CLines } from '../../nouns/written.js';

/** Which products are added in int16 before the int32 sum; second is -1 where the last product stays alone. */
export interface Pairs {
  readonly first: Int32Array;
  readonly second: Int32Array;
}

/** What decides which products are neighbours. */
export type Width = Pick<Product, 'inFeatures' | 'patch'> & Partial<Pick<Product, 'input' | 'weightDtype' | 'ranAs'>>;

/** Which products stand beside each other: for the replay, and in numpy, as [pairs, 2] of `terms` summed over the pair. */
export interface Pairing {
  readonly equation: string;
  of(product: Width): Pairs;
  numpy(terms: string, product: Width): string;
}

/** How a pair's sum becomes an int16. */
export interface Narrowing {
  readonly equation: string;
  loss(sum: number): number;
  /** It keeps order and shrinks distances; what wraps does not. */
  readonly clamps: boolean;
  /** Of p. */
  readonly numpy: string;
  /** A function of golden's C. */
  readonly c: string;
}

/** How a step pairs, as far as its written forms tell. */
export interface Pairs16 {
  codeShift(product: Product): number;
  leavesHolesOut(product: Width): boolean;
}

/** Whether there are holes, and they take no part. */
export function hasHolesToLeave(step: Pick<Pairs16, 'leavesHolesOut'>, product: Width): boolean {
  return step.leavesHolesOut(product) && product.patch?.taps.hasHoles === true;
}

/** A zero where an odd block ends leaves its last product alone; pairs of another order are listed. */
export function neighboursNumpy(terms: string, { first, second }: Pairs): string {
  if (first.some((k, p) => p > 0 && k !== first[p - 1] + (second[p - 1] < 0 ? 1 : 2))) {
    const list = Array.from(first, (k, p) => `[${k}, ${second[p]}]`).join(', ');
    return `p = np.append(${terms}, 0)[[${list}]].sum(1)  # pairs, in int16; -1: alone`;
  }
  const ends = [...first.keys()].filter((p) => second[p] < 0).map((p) => first[p] + 1);
  const products = ends.length === 0 ? `(${terms})` : `np.insert(${terms}, [${ends.join(', ')}], 0)`;
  return `p = ${products}.reshape(-1, 2).sum(1)  # pairs, in int16`;
}

export function eightApartNumpy(terms: string, { inFeatures }: Width): string {
  const padding = -inFeatures & 15;
  const products = padding === 0 ? `(${terms})` : `np.pad(${terms}, (0, ${padding}))`;
  return `p = ${products}.reshape(-1, 2, 8).sum(1)  # k and k + 8 in int16`;
}

/** numpy of codes + codeShift. */
function shifted(name: string, shift: number): string {
  return shift === 0 ? name : `(${name} ${shift > 0 ? '+' : '-'} ${Math.abs(shift)})`;
}

/** Pairs of raw products; the zero points' share is exact. `hole`: which k are holes, where those are left out. */
export function pairedNumpy(pairing: Pairing, narrowing: Narrowing, step: Pairs16, product: Product): string[] {
  const shift = step.codeShift(product);
  const rest = product.weightZeroPoint[0] === 0 ? '' : ' - zw*(x - zx).sum()';
  const w = hasHolesToLeave(step, product) ? 'v' : 'w';
  return [
    ...(w === 'v' ? ['v = w * ~hole  # holes take no part'] : []),
    pairing.numpy(`${shifted('x', shift)} * ${w}`, product),
    `acc = int(${narrowing.numpy}.sum() - ${shifted('zx', shift)}*${w}.sum()${rest})`,
  ];
}

export function pairedC(
  { first, second }: Pairs,
  narrowing: Narrowing,
  step: Pairs16,
  product: Product,
  id: string,
): CLines {
  const shift = step.codeShift(product);
  const w = (k: string) => (hasHolesToLeave(step, product) ? `(hole[${k}] ? 0 : w[${k}])` : `w[${k}]`);
  return {
    arrays: [
      { name: `${id}_first`, values: first },
      { name: `${id}_second`, values: second },
    ],
    lines: [
      `  for (int p = 0; p < ${first.length}; p++) {  /* raw products in pairs, at int16 */`,
      `    int a = ${id}_first[p], b = ${id}_second[p];`,
      `    int64_t pair = (x[a] + ${shift}) * ${w('a')} + (b < 0 ? 0 : (x[b] + ${shift}) * ${w('b')});`,
      `    sum += ${narrowing.c}(pair);`,
      '  }',
      `  for (int k = 0; k < ${id.toUpperCase()}_IN_FEATURES; k++) sum -= (zx + ${shift}) * ${w('k')} + zw * (x[k] - zx);`,
    ],
  };
}
