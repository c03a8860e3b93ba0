/** Sums times integers whose product is kept in 32 bits, as firmware writes them: int32_t p = acc * k; q = p >> n. */
import { float64Product } from '../../kernels/steps/multiplier.js';
import type { MultiplierStep, Product } from '../../nouns/kernel.js';
import { furthestOf, largestOf } from '../../numeric/extremes.js';
import { frexp } from '../../numeric/float.js';
import { wrapInt32 } from '../../numeric/integer.js';
import { floor, roundHalfAway } from '../../numeric/round.js';
import { realOf, type Short } from './short/shortMultiplier.js';

export interface WrappedProduct extends MultiplierStep {
  /** A channel's: k * 2^-n, as they are, factors of 2 in k and all. */
  readonly numbersIn: (product: Product) => readonly Short[];
  /** What is added to the product within 32 bits. */
  readonly within: (number: Short) => number;
  /** The same with all bits of the product. */
  readonly inFull: MultiplierStep;
}

/** Whether half of the shift is added: not, in the same 32 bits, or after them. */
const HALVES = ['none', 'within', 'after'] as const;
type Half = (typeof HALVES)[number];

/** Fewer bits leave int32 only where sums are large; more are shifted by what no int32 is. */
const [LEAST_BITS, MOST_SHIFT] = [8, 31];

/** @param sums the largest of each channel, by magnitude: where none leaves int32 nothing wraps */
export function wrappedProducts(params: Product, sums: Float64Array): WrappedProduct[] {
  const reals = Array.from({ length: params.outFeatures }, (_, n) => realOf(params, n));
  // who scales by powers of two shifts and multiplies by nothing: what wraps is the sum
  if (reals.every((real) => frexp(real).fraction === 0.5)) return [];
  // of a number of as many bits the largest sum goes furthest, of one shift for all the largest product
  const furthest = [furthestOf(sums), furthestOf(reals.map((real, n) => real * sums[n]))];
  const largest = frexp(largestOf(reals)).exponent;
  const counts = Array.from({ length: MOST_SHIFT + 1 - LEAST_BITS }, (_, i) => LEAST_BITS + i);
  return counts.flatMap((count) =>
    [roundHalfAway, floor].flatMap((round) => {
      const own = (real: number): Short => numberOf(real, count - frexp(real).exponent, round);
      const shared = (real: number): Short => numberOf(real, count, round);
      const forms = [
        { name: `${count} bits`, of: own, fits: count - largest <= MOST_SHIFT },
        { name: `>> ${count}`, of: shared, fits: largest + count > 0 && largest + count < MOST_SHIFT },
      ];
      return forms
        .filter(({ fits }) => fits)
        .flatMap(({ name, of }) => {
          const leaves = (half: Half) =>
            furthest.some((n) => sums[n] * of(reals[n]).k + withinOf(half, of(reals[n])) >= 2 ** 31);
          return HALVES.filter(leaves).map((half) => wrapped(`${name}, ${round.name}, half ${half}`, of, half));
        });
    }),
  );
}

const withinOf = (half: Half, { n }: Short) => (half === 'within' ? 2 ** (n - 1) : 0);

function numberOf(real: number, n: number, round: (v: number) => number): Short {
  return { k: round(real * 2 ** n), n };
}

function wrapped(name: string, of: (real: number) => Short, half: Half): WrappedProduct {
  const numbersIn = (product: Product) => Array.from({ length: product.outFeatures }, (_, n) => of(realOf(product, n)));
  const as = (label: string, product: (acc: number, k: number, added: number) => number): MultiplierStep => ({
    ...float64Product,
    name: `${label} ${name}`,
    equation: label === 'in full' ? 'acc * k * 2^-n' : 'wrap32(acc * k) * 2^-n',
    toSteps: (own) => {
      const numbers = numbersIn(own);
      return (acc, channel) => {
        const { k, n } = numbers[channel];
        return product(acc, k, half === 'none' ? 0 : 2 ** (n - 1)) * 2 ** -n;
      };
    },
    operations: null,
  });
  const wraps = (acc: number, k: number, added: number) =>
    half === 'within' ? wrapInt32(Math.imul(acc, k) + added) : Math.imul(acc, k) + added;
  const within = (number: Short) => withinOf(half, number);
  const inFull = as('in full', (acc, k, added) => acc * k + added);
  return { ...as('wrapped', wraps), numbersIn, within, inFull };
}
