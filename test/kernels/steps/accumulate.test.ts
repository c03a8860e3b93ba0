import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import * as steps from '../../../src/kernels/steps/accumulate.js';
import { type LossyAccumulateStep, roundedProductSums } from '../../../src/kernels/steps/lossyAccumulate.js';
import type { AccumulateStep, Codes, Product } from '../../../src/nouns/kernel.js';
import { codesOf, layerCases, linearOf, params } from '../layers.js';

const big = (x: number) => BigInt(x);
const wrap = (x: bigint, bits = 32) => Number(BigInt.asIntN(bits, x));
const saturate = (x: bigint, bits: number) => {
  const limit = 1n << BigInt(bits - 1);
  return x < -limit ? -limit : x >= limit ? limit - 1n : x;
};

/** The readable form: one value, BigInt. */
type Reference = (x: number[], w: number[], zx: number, zw: number, linear: Product, channel: number) => bigint;

const products = (x: number[], w: number[], zx = 0, zw = 0) => x.map((v, k) => big(v - zx) * big(w[k] - zw));
const total = (terms: bigint[]) => terms.reduce((sum, term) => sum + term, 0n);
const exact: Reference = (x, w, zx, zw) => total(products(x, w, zx, zw));

/** Raw pair sums through int16, then the zero points' exact share. */
function paired(
  pairsOf: (length: number) => [number, number][],
  toInt16: (sum: bigint) => bigint,
  toRaw: (x: number) => number,
): Reference {
  return (x, w, zx, zw) => {
    const raw = products(x.map(toRaw), w);
    const sums = pairsOf(x.length).map(([a, b]) => toInt16((raw[a] ?? 0n) + (raw[b] ?? 0n)));
    const shiftedZero = toRaw(zx);
    return total(sums) - total(raw) + total(products(x.map(toRaw), w, shiftedZero, zw));
  };
}

const inBlocks = (blocks: number[]): [number, number][] => {
  let start = 0;
  return blocks.flatMap((length) => {
    const pairs = Array.from({ length: Math.ceil(length / 2) }, (_, i): [number, number] => {
      const k = start + 2 * i;
      return [k, k + 1 < start + length ? k + 1 : -1];
    });
    start += length;
    return pairs;
  });
};
const oneDnnBlocks = (length: number, size: number) => {
  if (length <= 256) return [length];
  const first = length < 2 * size ? Math.floor((length + 1) / 2) : size;
  const blocks: number[] = [];
  for (let left = length; left > 0; left -= first) blocks.push(Math.min(first, left));
  return blocks;
};
const sat16 = (sum: bigint) => saturate(sum, 16);
const signedInput = (linear: Product) => linear.input.dtype === 'int8';
const unsigned = (linear: Product) => (x: number) => (signedInput(linear) ? x + 128 : x);
const signed = (linear: Product) => (x: number) => (signedInput(linear) ? x : x - 128);

const pairs =
  (blocks: (length: number) => number[], exactFor: (linear: Product) => boolean): Reference =>
  (x, w, zx, zw, linear) =>
    (exactFor(linear) ? exact : paired((n) => inBlocks(blocks(n)), sat16, unsigned(linear)))(x, w, zx, zw, linear, 0);
const withZeroPoint = (linear: Product) => signedInput(linear) && linear.input.zeroPoint !== 0;

const sixteens = (length: number): [number, number][] =>
  Array.from({ length: Math.ceil(length / 16) * 8 }, (_, i): [number, number] => {
    const k = Math.floor(i / 8) * 16 + (i % 8);
    return [k, k + 8];
  });

/** To the even neighbour, in double. */
function biasOf({ bias, input, weightScale, perChannel }: Product, channel: number): number {
  const units = bias![channel] / (input.scale * weightScale[perChannel ? channel : 0]);
  const down = Math.floor(units);
  const rest = units - down;
  return rest > 0.5 || (rest === 0.5 && down % 2 !== 0) ? down + 1 : down;
}

function narrowed({ bits, overflow, of, when, bias }: steps.NarrowAccumulateStep): Reference {
  const apply = (sum: bigint) => (overflow === 'wrap' ? BigInt.asIntN(bits, sum) : saturate(sum, bits));
  return (x, w, zx, zw, linear, channel) => {
    const terms = of === 'raw' ? products(x, w) : products(x, w, zx, zw);
    const wide = total(terms);
    const held = bias && linear.bias ? big(biasOf(linear, channel)) : 0n;
    const [first, last] = bias === 'first' ? [held, 0n] : [0n, held];
    const narrow =
      when === 'running'
        ? apply(terms.reduce((sum, term) => apply(sum + term), apply(first)) + last)
        : apply(wide + held);
    return total(products(x, w, zx, zw)) - wide + narrow - held;
  };
}

function roundedBy({ bits, rule }: NonNullable<LossyAccumulateStep['product']>): Reference {
  const unit = 1n << BigInt(bits);
  const rounded = {
    down: (p: bigint) => p >> BigInt(bits),
    'half up': (p: bigint) => (p + unit / 2n) >> BigInt(bits),
    'towards zero': (p: bigint) => p / unit,
  };
  return (x, w, zx, zw) => total(products(x, w, zx, zw).map((p) => rounded[rule](p) * unit));
}
const someLossy = roundedProductSums.filter(({ product }) => product!.bits === 4);

const references: [AccumulateStep, Reference][] = [
  [steps.exact, exact],
  [
    steps.pairsSaturatingInt16,
    pairs(
      (n) => [n],
      () => false,
    ),
  ],
  [steps.pairsSaturatingInt16Unsigned, pairs((n) => [n], signedInput)],
  [steps.pairsSaturatingInt16Blocks384, pairs((n) => oneDnnBlocks(n, 384), withZeroPoint)],
  [steps.pairsSaturatingInt16Blocks256, pairs((n) => oneDnnBlocks(n, 256), withZeroPoint)],
  [
    steps.neonMlalInt16Wrap,
    (x, w, zx, zw, linear) => paired(sixteens, (s) => BigInt.asIntN(16, s), signed(linear))(x, w, zx, zw, linear, 0),
  ],
  ...[...steps.narrowAccumulators, ...steps.biasedAccumulators].map((step): [AccumulateStep, Reference] => [
    step,
    narrowed(step),
  ]),
  ...someLossy.map((step): [AccumulateStep, Reference] => [step, roundedBy(step.product!)]),
];

function reference(refer: Reference, x: Codes, linear: Product): { data: number[]; overflowed: number } {
  const data: number[] = [];
  let overflowed = 0;
  for (let row = 0; row < x.rows; row++) {
    for (let n = 0; n < linear.outFeatures; n++) {
      const codes = [...x.data.subarray(row * x.cols, (row + 1) * x.cols)];
      const weights = [...linear.weight.subarray(n * x.cols, (n + 1) * x.cols)];
      const zw = linear.weightZeroPoint[linear.weightZeroPoint.length === 1 ? 0 : n];
      const sum = refer(codes, weights, linear.input.zeroPoint, zw, linear, n);
      data.push(wrap(sum));
      if (big(wrap(sum)) !== sum) overflowed++;
    }
  }
  return { data, overflowed };
}

describe.each(references.map(([step, refer]) => ({ name: step.name, step, refer })))('$name', ({ step, refer }) => {
  it('equals its readable form', () => {
    let discriminating = 0;
    fc.assert(
      fc.property(layerCases({ weightZeroPoints: true }), ({ linear, x }) => {
        const expected = reference(refer, x, linear);
        const { data } = step.run(x, linear);
        expect([...data]).toEqual(expected.data);
        if (step !== steps.exact && expected.data.join() !== reference(exact, x, linear).data.join()) discriminating++;
      }),
      { seed: 20, numRuns: 150 },
    );
    // wrapping at 24 bits takes more products than these layers have
    const narrow = [...steps.narrowAccumulators, ...steps.biasedAccumulators];
    const never = [steps.exact, ...narrow.filter((s) => s.bits === 24)];
    if (!never.includes(step as steps.NarrowAccumulateStep)) expect(discriminating).toBeGreaterThan(3);
  });
});

test.each([
  1, 2, 255, 256, 257, 258, 259, 260, 262, 265, 383, 384, 385, 386, 511, 512, 513, 514, 765, 766, 767, 768, 769, 770,
  1023, 1025, 2049,
])('K = %i: tails and block limits', (inFeatures) => {
  const pick = (values: number[], i: number) => values[(i * 2654435761) % values.length];
  for (const dtype of ['uint8', 'int8'] as const) {
    const codes = dtype === 'uint8' ? [0, 255, 200, 131, 254] : [-128, 127, 100, 0, -77];
    for (const zeroPoint of [0, 3]) {
      const linear = linearOf({
        weight: [0, 1, 2].map((n) =>
          Array.from({ length: inFeatures }, (_, k) => pick([-128, 127, 90, -100, 64], n * 7919 + k)),
        ),
        weightZeroPoint: [0],
        input: params(dtype, 1, zeroPoint),
      });
      const x = codesOf(
        linear,
        [0, 1].map((m) => Array.from({ length: inFeatures }, (_, k) => pick(codes, m * 104729 + k))),
      );
      for (const [step, refer] of references) {
        expect({ step: step.name, data: [...step.run(x, linear).data] }).toEqual({
          step: step.name,
          data: reference(refer, x, linear).data,
        });
      }
    }
  }
});

it('shifts the pairs where an oneDNN block is odd: K = 257, 258, 261, 262 ... below twice the block', () => {
  for (let inFeatures = 250; inFeatures < 800; inFeatures++) {
    const first = (step: steps.PairedAccumulateStep) => step.pairs({ inFeatures }).first.join();
    const odd = inFeatures > 256 && [1, 2].includes(inFeatures % 4);
    expect(first(steps.pairsSaturatingInt16Blocks384) !== first(steps.pairsSaturatingInt16)).toBe(
      odd && inFeatures < 768,
    );
    expect(first(steps.pairsSaturatingInt16Blocks256) !== first(steps.pairsSaturatingInt16)).toBe(
      odd && inFeatures < 512,
    );
  }
});

it.each([1, 7, 8, 9, 16, 17, 24, 25, 40])('k and k + 8 of 16 are a pair, of %i inputs', (inFeatures) => {
  const { first, second } = steps.neonMlalInt16Wrap.pairs({ inFeatures });
  const heads = [...Array(inFeatures).keys()].filter((k) => k % 16 < 8);
  expect([...first]).toEqual(heads);
  expect([...second]).toEqual(heads.map((k) => (k + 8 < inFeatures ? k + 8 : -1)));
});

it('counts and wraps sums that leave int32', () => {
  const inFeatures = 80000; // 255 * 127 * 80000 = 2.6e9
  const linear = linearOf({ weight: [new Array(inFeatures).fill(127), new Array(inFeatures).fill(1)] });
  const x = codesOf(linear, [new Array(inFeatures).fill(255)]);
  const { data, overflowed } = steps.exact.run(x, linear);
  expect([...data]).toEqual([wrap(255n * 127n * 80000n), 255 * 80000]);
  expect(overflowed).toBe(1);
  const lossy = someLossy[0].run(x, linear);
  expect([...lossy.data]).toEqual([wrap(((255n * 127n) >> 4n) * 16n * 80000n), (255 >> 4) * 16 * 80000]);
});

it('takes codes far beyond 8 bits', () => {
  const linear = linearOf({ weight: [[127, -128, 5]], input: { ...params('uint8', 1, -7), dtype: 'int32' } });
  const x: Codes = { rows: 1, cols: 3, data: Int32Array.from([2147483647, -2147483648, 12345]) };
  const { data, overflowed } = steps.exact.run(x, linear);
  expect(data[0]).toBe(wrap(exact([...x.data], [127, -128, 5], -7, 0, linear, 0)));
  expect(overflowed).toBe(1);
});

it('names the pairs of one value that leave int16', () => {
  const linear = linearOf({ weight: [[90, 60, -128, -128, 127]] });
  const x = codesOf(linear, [[255, 255, 159, 143, 255]]);
  expect([...steps.losingPairs(steps.pairsSaturatingInt16, x, linear, 0, 0)]).toEqual([
    { k: [0, 1], sum: 38250, narrowed: 32767 },
    { k: [2, 3], sum: -38656, narrowed: -32768 },
  ]);
});

// 255 * 90 + 255 * 60 loses 5483
test.each([
  [steps.exact, 38250],
  [steps.pairsSaturatingInt16, 32767],
  [steps.int16Wrap, 38250 - 65536],
  [steps.int16Saturate, 32767],
] as const)('an example by hand', (step, acc) => {
  const linear = linearOf({ weight: [[90, 60]] });
  expect(step.run(codesOf(linear, [[255, 255]]), linear).data[0]).toBe(acc);
});

test('a MAC that goes channel by channel saturates elsewhere than one that goes place by place', () => {
  // k = (place, channel): products 20000, -20000, 20000, 5000 as they lie; channel by channel 20000, 20000, -20000, 5000
  const linear = linearOf({ weight: [[100, -100, 100, 25]] });
  const product = { ...linear, patch: { inChannels: 2, groups: 1 } as Product['patch'] };
  const x = { rows: 1, cols: 4, data: Uint8Array.of(200, 200, 200, 200) };
  const [byChannel] = steps.accumulatorsByChannel;
  expect([...steps.int16SaturateRunning.run(x, product).data]).toEqual([25000]);
  expect([...byChannel.run(x, product).data]).toEqual([32767 - 20000 + 5000]);
  expect([...byChannel.run(x, linear).data]).toEqual([25000]);
});
