/** Sums that are rounded twice, and a number that is added before they are rounded once: which of them is told, and of how many values. */
import { expect, test } from 'vitest';
import { roundedTwice } from '../../src/diagnose/alternatives/roundedTwice.js';
import type { Evidence } from '../../src/diagnose/finding/evidence.js';
import { codesOf, linear, named, sumOf } from './ownSums.js';

const small = linear(91, { samples: 100, inputs: 8 });
const large = linear(91, { samples: 900, inputs: 8 });
const plus = (added: number) => (v: number) => Math.floor(v + added + 0.5);

test('to 5 bits first: both readings, with what a number added once may be', async () => {
  const twice = (v: number) => Math.floor(Math.floor(v * 32 + 0.5) / 32 + 0.5);
  const { causes, evidence } = (await named(large, codesOf(large, sumOf, twice)))!;
  expect(causes).toEqual(['rounding-twice']);
  const { added, way } = (evidence as Evidence)['rounding-twice']!;
  expect(added).toMatchObject({ value: 1 / 64, to: 'all' });
  const [from, to] = added!.interval;
  expect([from <= 1 / 64, to >= 1 / 64, to - from < 1 / 1024]).toEqual([true, true, true]);
  const [before, between, rounded] = way!;
  expect([between, rounded]).toEqual([Math.floor(before * 32 + 0.5) / 32, plus(1 / 64)(before)]);
});

test.each([1 / 64, 1.04 / 64])('%f added: of few values no power of two is told from another number', async (added) => {
  const { causes } = (await named(small, codesOf(small, sumOf, plus(added))))!;
  expect(causes).not.toContain('rounding-twice');
});

test('a number that is no power of two is none', async () => {
  const { causes } = (await named(large, codesOf(large, sumOf, plus(1.1 / 64))))!;
  expect(causes).not.toContain('rounding-twice');
});

test('each form that is said to be a number added is one', () => {
  const forms = roundedTwice(1 / 8).filter(({ added }) => added);
  expect(forms.map(({ added }) => added!.to)).toEqual(expect.arrayContaining(['all', 'away', 'negative']));
  // no borders: the rules of the first rounding differ there
  const values = Array.from({ length: 4000 }, (_, i) => (i - 2000) / 257 + 1e-9);
  for (const { added, last, round } of forms) {
    const once = (v: number) => {
      if (added!.to === 'all') return last.apply(v + added!.value);
      return v < 0 ? last.apply(v - added!.value) : last.apply(v + (added!.to === 'away' ? added!.value : 0));
    };
    expect(values.map(round.apply)).toEqual(values.map(once));
  }
});
