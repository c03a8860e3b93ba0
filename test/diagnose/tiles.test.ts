/** Sums in parts, of which each leaves int16, or loses its low bits, before it is added. */
import { describe, expect, test } from 'vitest';
import { roundHalfEven } from '../../src/numeric/round.js';
import { codesOf, convolution, linear, named, type Summed, type SumOf, sumOf } from './ownSums.js';

const wrap16 = (sum: number) => ((((sum + 32768) % 65536) + 65536) % 65536) - 32768;
const saturate16 = (sum: number) => Math.max(-32768, Math.min(32767, sum));
const down4 = (sum: number) => Math.floor(sum / 16) * 16;
const halfUp6 = (sum: number) => Math.floor(sum / 64 + 0.5) * 64;

const parts = (all: readonly number[], length: number) =>
  Array.from({ length: Math.ceil(all.length / length) }, (_, i) => sumOf(all.slice(i * length, (i + 1) * length)));
const inParts =
  (length: number, keep: (sum: number, part: number) => number): SumOf =>
  (products) =>
    sumOf(parts(products, length).map(keep));
/** The channels of each place, where the file has the places of each channel. */
const byPlace =
  (own: SumOf): SumOf =>
  (all, at) =>
    own(
      all.map((_, i) => all[(i % (all.length / 9)) * 9 + Math.floor(i / (all.length / 9))]),
      at,
    );

describe('of a linear layer', () => {
  const layer = linear(91);

  test.each([
    ['saturating, of 8', inParts(8, saturate16), 'accumulator-wraps', { overflow: 'saturate', products: 8 }],
    ['wrapping, of 16', inParts(16, wrap16), 'accumulator-wraps', { overflow: 'wrap', products: 16 }],
    ['cut, of 8', inParts(8, down4), 'product-rounded', { rule: 'down', bits: 4, of: 'parts', products: 8 }],
    ['rounded, of 4', inParts(4, halfUp6), 'product-rounded', { rule: 'half up', bits: 6, of: 'parts', products: 4 }],
  ] as const)('%s', async (_, own, code, found) => {
    expect(await named(layer, codesOf(layer, own))).toMatchObject({ causes: [code], evidence: { [code]: found } });
  });

  test.each([
    ['saturating', inParts(16, saturate16), 'accumulator-wraps'],
    ['cut', inParts(8, down4), 'product-rounded'],
  ] as const)('%s, and fractions cut towards zero: both', async (_, own, code) => {
    const finding = await named(layer, codesOf(layer, own, Math.trunc));
    expect([...finding!.causes].sort()).toEqual([code, 'rounding-truncate'].sort());
  });

  test.each([
    ['saturating in each second part', inParts(8, (sum, part) => (part % 2 === 0 ? saturate16(sum) : sum))],
    ['cut in parts of 7', inParts(7, down4)],
    ['saturating at 15 bits', inParts(8, (sum) => Math.max(-16384, Math.min(16383, sum)))],
  ])('%s: no such name', async (_, own) => {
    expect((await named(layer, codesOf(layer, own)))!.causes).toEqual(['unexplained']);
  });
});

test('2 more in every sum, of few values: no parts of it beside biases that are rounded', async () => {
  const layer = ofOneScale(linear(54, { samples: 110, inputs: 16 }));
  const finding = await named(
    layer,
    codesOf(layer, (products) => sumOf(products) + 2),
  );
  expect(finding!.causes).not.toContain('product-rounded');
});

/** The weights of all channels by the first one's scale. */
function ofOneScale(layer: Summed): Summed {
  const { alone, scales, multipliers, bias } = layer;
  const [scale] = scales.weights;
  return {
    ...layer,
    alone: { ...alone, layer: { ...alone.layer, weight_scale: scale } },
    multipliers: multipliers.map(() => multipliers[0]),
    biases: bias.map((b) => roundHalfEven(b / (scales.input * scale))),
  };
}

test.each([
  ['places of a channel', (own: SumOf) => own, 9, 'places'],
  ['channels of a place', byPlace, 8, 'channels'],
] as const)('of a convolution, %s', async (_, inOrder, products, along) => {
  const layer = convolution(92);
  const found = { rule: 'down', bits: 4, of: 'parts', products, along };
  const finding = await named(layer, codesOf(layer, inOrder(inParts(products, down4))));
  expect(finding).toMatchObject({ causes: ['product-rounded'], evidence: { 'product-rounded': found } });
});
