import fc from 'fast-check';
import { expect, test } from 'vitest';
import { f32, float32Beside } from '../../src/numeric/float.js';
import { clamp } from '../../src/numeric/integer.js';
import { climbed, ladderOf } from '../../src/numeric/ladder.js';
import { roundHalfEven } from '../../src/numeric/round.js';

const codeOf = (scale: number, offset: number) => (x: number) =>
  clamp(roundHalfEven(f32(f32(x) * f32(scale))) + offset, -128, 127);

test.each([
  ['all 256 codes', codeOf(3.7, -20), 256],
  ['a few, none at 0', codeOf(0.021, 90), 5],
  ['three', codeOf(0.007, 0), 3],
  ['one', () => 7, 1],
])('%s: a number has the code that the function gives it, where codes begin too', (_, code, codes) => {
  const ladder = ladderOf('float32', code, -100, 100)!;
  expect(ladder.begins).toHaveLength(codes);
  for (const begin of ladder.begins.subarray(0, -1)) {
    for (const x of [-2, -1, 0, 1, 2].map((steps) => float32Beside(begin, steps)))
      expect([x, climbed(ladder, x)]).toEqual([x, code(x)]);
  }
  fc.assert(
    fc.property(fc.float({ min: -100, max: 100, noNaN: true }), (x) => {
      expect(climbed(ladder, x)).toBe(code(x));
    }),
    { seed: 11, numRuns: 300, examples: [[-100], [0], [100]] },
  );
});

test('whole numbers have steps of whole numbers', () => {
  const code = (sum: number) => clamp(Math.floor(sum / 7), -5, 6);
  const ladder = ladderOf('int32', code, -60, 60)!;
  for (let sum = -60; sum <= 60; sum++) expect([sum, climbed(ladder, sum)]).toEqual([sum, code(sum)]);
});

test.each([
  ['more than 256 codes', (x: number) => Math.floor(x * 2)],
  ['codes that fall', (x: number) => -Math.floor(x)],
  ['codes that are no integers', (x: number) => Math.floor(x) + 0.5],
  ['codes that are no numbers', () => Number.NaN],
  ['steps that no line comes near', (x: number) => Math.floor(Math.sign(x) * Math.sqrt(Math.abs(x)) * 10)],
])('%s: there is none', (_, code) => {
  expect(ladderOf('float32', code, -100, 100)).toBeNull();
});
