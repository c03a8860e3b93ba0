/** Two products in one multiplier, parted without the borrow of the lower one. */
import { describe, expect, test } from 'vitest';
import { codesOf, convolution, linear, named, productsOf, type Summed, type SumOf, sumOf } from './ownSums.js';

/** What lies below an output; null: nothing. */
type Below = (channel: number, place: number) => readonly [channel: number, place: number] | null;

const evenBelow: Below = (n, place) => (n % 2 === 1 ? [n - 1, place] : null);
const oddBelow: Below = (n, place) => (n % 2 === 0 ? [n + 1, place] : null);
const half = 6;
const firstHalfBelow: Below = (n, place) => (n >= half ? [n - half, place] : null);
const columnBefore: Below = (n, place) => (place % 2 === 1 ? [n, place - 1] : null);
const lineAfter: Below = (n, place) => (Math.floor(place / 6) % 2 === 0 ? [n, place + 6] : null);

const chunks = (all: readonly number[], length: number) =>
  Array.from({ length: Math.ceil(all.length / length) }, (_, i) => sumOf(all.slice(i * length, (i + 1) * length)));

/** The products of a convolution of 3 by 3 place by place. */
const byPlace = (all: readonly number[]) =>
  all.map((_, i) => all[(i % (all.length / 9)) * 9 + Math.floor(i / (all.length / 9))]);

function borrowing(layer: Summed, below: Below, length: number, inOrder = (all: readonly number[]) => all): SumOf {
  return (products, { sample, channel, place }) => {
    const other = below(channel, place);
    const chains = other ? chunks(inOrder(productsOf(layer, sample, ...other)), length) : [];
    return sumOf(products) - chains.filter((sum) => sum < 0).length;
  };
}

describe('of a linear layer', () => {
  const layer = linear(71, { samples: 400 });
  const small = linear(73, { samples: 60, inputs: 48, outputs: 8 });

  test.each([
    ['each product, the even channel below', evenBelow, 1, { by: 'channels', apart: 1, upper: 'second', products: 1 }],
    ['each product, the odd channel below', oddBelow, 1, { by: 'channels', apart: 1, upper: 'first', products: 1 }],
    // of 6 the same values follow
    ['chains of 7', evenBelow, 7, { apart: 1, upper: 'second' }],
  ] as const)('%s', async (_, below, length, found) => {
    const finding = await named(layer, codesOf(layer, borrowing(layer, below, length)));
    expect(finding).toMatchObject({ causes: ['packing-borrow'], evidence: { 'packing-borrow': found } });
  });

  test('and ties away from zero, or cut: both', async () => {
    for (const [round, code] of [
      [Math.trunc, 'rounding-truncate'],
      [Math.floor, 'rounding-floor'],
    ] as const) {
      const both = await named(layer, codesOf(layer, borrowing(layer, evenBelow, 1), round));
      expect([...both!.causes].sort()).toEqual(['packing-borrow', code]);
    }
  });

  test('of two channels above others too little is told', async () => {
    const pair = linear(74, { samples: 400, outputs: 4 });
    const finding = await named(pair, codesOf(pair, borrowing(pair, evenBelow, 1)));
    expect(finding!.causes).not.toContain('packing-borrow');
  });

  test('with the borrow added back nothing differs', async () => {
    expect(await named(layer, codesOf(layer, sumOf))).toBeNull();
  });

  test.each([
    [
      'one more in place of one less',
      (products, { sample, channel }) =>
        sumOf(products) +
        (channel % 2) * productsOf(small, sample, channel - (channel % 2), 0).filter((p) => p < 0).length,
    ],
    [
      'where the lower product is positive',
      (products, { sample, channel }) =>
        sumOf(products) -
        (channel % 2) * productsOf(small, sample, channel - (channel % 2), 0).filter((p) => p > 0).length,
    ],
  ] as [string, SumOf][])('%s: no such name', async (_, own) => {
    const finding = await named(small, codesOf(small, own));
    expect(finding!.causes).toEqual(['unexplained']);
  });
});

describe('of a convolution', () => {
  const layer = convolution(72, { samples: 16 });

  test.each([
    ['halves of the channels', firstHalfBelow, 1, { by: 'channels', apart: half, upper: 'second', products: 1 }],
    ['places of a line', columnBefore, 1, { by: 'columns', apart: 1, upper: 'second', products: 1 }],
    ['places of two lines', lineAfter, 1, { by: 'lines', apart: 1, upper: 'first', products: 1 }],
    [
      'a chain of the places of each channel',
      evenBelow,
      9,
      { by: 'channels', upper: 'second', products: 9, along: 'places' },
    ],
  ] as const)('%s', async (_, below, length, found) => {
    const finding = await named(layer, codesOf(layer, borrowing(layer, below, length)));
    expect(finding).toMatchObject({ causes: ['packing-borrow'], evidence: { 'packing-borrow': found } });
  });

  test('a chain of 8 channels of each place', async () => {
    const finding = await named(layer, codesOf(layer, borrowing(layer, evenBelow, 8, byPlace)));
    const found = { products: 8, along: 'channels' };
    expect(finding).toMatchObject({ causes: ['packing-borrow'], evidence: { 'packing-borrow': found } });
  });
});
