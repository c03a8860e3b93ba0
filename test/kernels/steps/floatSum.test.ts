/** Sums of float32 numbers in ATen's order: torch 2.13, AVX2, of numbers whose sizes differ by 10^4. */
import { describe, expect, test } from 'vitest';
import { sumOfColumn, sumOfRow } from '../../../src/kernels/steps/floatSum.js';
import { f32 } from '../../../src/numeric/float.js';

const term = (i: number) => f32((((i * 7919) % 1009) - 300) / (i % 5 === 0 ? 3 : 30000));

describe('sumOfRow', () => {
  test.each([
    [1, -100],
    [7, -118.63009643554688],
    [9, -118.5920639038086],
    [31, 335.5107421875],
    [33, 335.50579833984375],
    [100, 1345.8941650390625],
    [1000, 13736.1162109375],
    [4099, 55899.63671875],
    [70001, 952381.1875],
  ])('of %i numbers', (count, sum) => {
    expect(sumOfRow(term, count)).toBe(sum);
  });
});

describe('sumOfColumn', () => {
  test.each([
    [3, 1, 0, -99.96803283691406],
    [100, 3, 2, 1345.8941650390625],
    [1000, 4, 3, 13736.1162109375],
    [1000, 7, 6, 13736.115234375],
    [1000, 32, 31, 13736.1162109375],
    [1000, 40, 39, 13736.115234375],
    [70001, 2, 1, 952381.1875],
    [70001, 32, 31, 952381.125],
    // of more than 2^19 numbers a level of the cascade takes 32 of the one below
    [600007, 32, 31, 8163558],
  ])('of %i numbers, of %i columns number %i', (count, columns, column, sum) => {
    expect(sumOfColumn(term, count, column, columns)).toBe(sum);
  });
});
