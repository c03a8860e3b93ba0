/** Whether numbers that a rule makes of the declared ones lie by chance where the values leave room: a scale may be any number. */
import { FREEDOM } from '../setup.js';
import type { Bounds } from './bounds.js';
import { everything, Intervals, narrow, twoNumbers } from './interval.js';

/** Where each number lies if every value is the sum of its terms, each by its number; more than two bound nothing here. */
export function numbersLeft(terms: readonly ArrayLike<number>[], { lo, hi }: Bounds): Intervals {
  const [first, second] = terms;
  if (terms.length === 1) {
    const all = everything();
    for (let i = 0; i < lo.length; i++) narrow(all, first[i], lo[i], hi[i]);
    return Intervals.of(1, () => all);
  }
  const both = terms.length === 2 ? twoNumbers(first, second, { lo, hi }) : null;
  return Intervals.of(terms.length, (n) => (both ? [both.p, both.q][n] : everything()));
}

/** Numbers to the nearest, down and up of each count of bits or digits: so many lie as near to a real one as one of them does. */
const AS_NEAR = 2;

/** How likely one of the rule's numbers is there by chance: the room that is left for each, over its distance to the declared one. */
export function chanceOf(left: Intervals, numbers: readonly number[], declared: readonly number[]): number {
  return numbers.reduce((chance, number, n) => {
    const room = (left.hi[n] - left.lo[n]) / Math.abs(number - declared[n]);
    return room >= 0 && room < 1 / AS_NEAR ? chance * room * AS_NEAR : chance;
  }, 1);
}

/** Rarer than the first, no other number is a reason as good; more likely than the second, one is the better. */
const [SURE, EVEN] = [1 / 64, 1 / 2];

/** What such a number is among what explains the same. */
export function believed(chance: number): { readonly freedom: number; readonly rare?: true } {
  return { freedom: chance < SURE ? FREEDOM.none : FREEDOM.oneNumber, ...(chance > EVEN && { rare: true }) };
}
