/** Multipliers of so many bits that what is nearest to them is one bit more. */
import { expect, it } from 'vitest';
import { shortForms } from '../../src/diagnose/alternatives/short/shortForms.js';
import type { Product } from '../../src/nouns/kernel.js';

const of = (...reals: readonly number[]) =>
  ({ input: { scale: 1 }, weightScale: reals, output: { scale: 1 }, outFeatures: reals.length }) as unknown as Product;
const saturating = (...reals: readonly number[]) =>
  shortForms(of(...reals)).filter(({ rule }) => rule.endsWith('at most'));

it('end at all ones, beside channels that are rounded as ever', () => {
  const forms = saturating(0.9985 / 64, 0.3);
  expect(forms.map(({ bits }) => bits)).toEqual([2, 3, 4, 5, 6, 7, 8]);
  expect(forms.find(({ bits }) => bits === 7)!.numbers).toEqual([
    { k: 127, n: 13 },
    { k: 77, n: 8 },
  ]);
});

it('are no forms of their own where no channel is so near to a power of two', () => {
  expect(saturating(0.74 / 64, 0.3)).toEqual([]);
});
