/** One number more in every sum. */
import { describe, expect, test } from 'vitest';
import { codesOf, convolution, linear, named, type SumOf, sumOf } from './ownSums.js';

const plus =
  (added: (channel: number) => number): SumOf =>
  (products, { channel }) =>
    sumOf(products) + added(channel);

describe.each([
  ['a linear layer', linear(81)],
  ['a convolution', convolution(82)],
])('of %s', (_, layer) => {
  test.each([64, -37, 1000])('%i', async (added) => {
    const finding = await named(
      layer,
      codesOf(
        layer,
        plus(() => added),
      ),
    );
    expect(finding).toMatchObject({ causes: ['bias-value'], evidence: { 'bias-value': { added } } });
  });

  test('and fractions cut towards zero: both', async () => {
    const finding = await named(
      layer,
      codesOf(
        layer,
        plus(() => 200),
        Math.trunc,
      ),
    );
    expect([...finding!.causes].sort()).toEqual(['bias-value', 'rounding-truncate']);
  });
});

describe('no such name', () => {
  const layer = linear(83);

  test('of biases that each have a number of their own', async () => {
    const finding = await named(
      layer,
      codesOf(
        layer,
        plus((n) => (n % 5) * 90),
      ),
    );
    expect(finding!.evidence).not.toMatchObject({ 'bias-value': { added: expect.any(Number) } });
  });

  test('of half of the channels', async () => {
    const finding = await named(
      layer,
      codesOf(
        layer,
        plus((n) => (n % 2) * 400),
      ),
    );
    expect(finding!.evidence).not.toMatchObject({ 'bias-value': { added: expect.any(Number) } });
  });

  test('of half a step in each', async () => {
    const finding = await named(
      layer,
      codesOf(
        layer,
        plus((n) => Math.round(0.5 / layer.multipliers[n])),
      ),
    );
    expect(finding!.evidence).not.toMatchObject({ 'bias-value': { added: expect.any(Number) } });
  });
});
