/** Convolutions of 3x3 by fewer products: the sums of every one that is taken, and which ones are. */
import { describe, expect, it, test } from 'vitest';
import { Machine } from '../../src/accelerate/job.js';
import type { Into } from '../../src/accelerate/parts.js';
import { multiply, operandsOf, SUMS } from '../../src/accelerate/product.js';
import { recipeOf } from '../../src/accelerate/recipe.js';
import { winograd } from '../../src/accelerate/winograd.js';
import { EXACT } from '../../src/products/multiply.js';
import { randomFrom } from '../diagnose/world.js';
import { bytesOf } from '../support/bytes.js';
import { linearSteps } from '../support/steps.js';
import { amongLeftovers } from './leftovers.js';
import { EXACT as MEANING, moduleWith } from './meaning.js';
import { type Convolution, made, type Pair, summed, tiled } from './tiles.js';

amongLeftovers();

const machine = new Machine({ threads: 1, portable: true });

function taken({ product, gathered }: ReturnType<typeof made>, into: Into = SUMS, by = machine) {
  return winograd(by, operandsOf(EXACT, gathered, product)!, product, into);
}

function same(convolution: Convolution, seed?: number): boolean {
  return areSame(made(convolution, seed));
}

function areSame(own: ReturnType<typeof made>): boolean {
  const found = taken(own);
  return found !== null && bytesOf(found).equals(bytesOf(summed(own)));
}

const PADDINGS: readonly (readonly [Pair, Pair])[] = [
  [
    [0, 0],
    [0, 0],
  ],
  [
    [1, 0],
    [0, 2],
  ],
  [
    [0, 3],
    [2, 1],
  ],
  [
    [4, 5],
    [0, 1],
  ],
];

describe('the sums', () => {
  it('of every height and width', () => {
    const sizes = [3, 4, 5, 6, 7, 8, 9, 10, 13];
    for (const height of sizes) {
      for (const width of sizes)
        expect([height, width, same({ images: 14, channels: 32, size: [height, width] })]).toEqual([
          height,
          width,
          true,
        ]);
    }
    expect(same({ images: 12, channels: 32, size: [2, 42] })).toBe(true);
    expect(same({ images: 12, channels: 32, size: [42, 2] })).toBe(true);
  });

  it('of every tail of channels', () => {
    for (const channels of [5, 7, 8, 9, 15, 16, 17, 31, 33, 63])
      expect([channels, same({ channels, size: [12, 16] })]).toEqual([channels, true]);
    for (const out of [1, 3, 4, 5, 7, 8, 9, 31, 32, 33, 63, 65]) expect([out, same({ out })]).toEqual([out, true]);
  });

  it('of the table that every Node goes through', () => {
    expect(tiled.map((own) => same(own))).toEqual(tiled.map(() => true));
  });

  it.each([2, 3, 8])('of %i groups', (groups) => {
    for (const ofGroup of [8, 13, 33]) {
      for (const channelsLast of [false, true]) {
        const channels = { channels: groups * ofGroup, out: groups * (ofGroup - 2), groups };
        expect([ofGroup, channelsLast, same({ ...channels, channelsLast, size: [12, 11] })]).toEqual([
          ofGroup,
          channelsLast,
          true,
        ]);
      }
    }
  });

  it('of weights of 16 bits, as of those read as uint8', () => {
    const own = made({ channels: 20, weightZeroPoint: (n) => 126 + n });
    const product = { ...own.product, weight: Int16Array.from(own.product.weight, (w) => w & 0xff) };
    expect(areSame({ ...own, product })).toBe(true);
  });

  it.each(['uint8', 'int8'] as const)('of %s, however padded, and channels first or last', (dtype) => {
    for (const padding of PADDINGS) {
      for (const channelsLast of [false, true]) {
        for (const zeroPoint of [0, 255, 100]) {
          const weightZeroPoint = (n: number) => (n % 5) - 2;
          const case_ = {
            dtype,
            padding,
            channelsLast,
            zeroPoint,
            weightZeroPoint,
            size: [10, 11],
            channels: 21,
          } as const;
          expect([case_, same(case_)]).toEqual([case_, true]);
        }
      }
    }
  });

  /** 112 channels of such products are the most that are summed at a time. */
  it.each([16, 112, 113, 120, 240])('of the largest codes and weights, %i channels', (channels) => {
    const extremes: readonly Convolution[] = [
      { x: () => 255, w: () => -128, zeroPoint: 0 },
      { x: () => 255, w: () => 127, zeroPoint: 0 },
      { x: () => 0, w: () => -128, zeroPoint: 255 },
      { x: (i) => (i & 1 ? 255 : 0), w: (i) => (i & 2 ? 127 : -128), zeroPoint: 0 },
      { x: (i) => (i & 1 ? 255 : 0), w: (i) => (i % 3 ? 127 : -128), zeroPoint: 255 },
      { x: () => 255, w: () => 127, zeroPoint: 0, weightZeroPoint: () => -100 },
    ];
    for (const own of extremes) {
      for (const dtype of ['uint8', 'int8'] as const) {
        expect([own, dtype, same({ ...own, dtype, channels, size: [8, 9], padding: PADDINGS[0], out: 3 })]).toEqual([
          own,
          dtype,
          true,
        ]);
      }
    }
  });

  /** Where the numbers that are made of codes and weights are largest. */
  it('of codes and weights that are one end or the other', () => {
    for (let seed = 1; seed < 40; seed++) {
      const { integer } = randomFrom(seed);
      const own = { x: () => 255 * integer(0, 1), w: () => 255 * integer(0, 1) - 128, zeroPoint: 255 * integer(0, 1) };
      const weightZeroPoint = () => [0, -100, 99][integer(0, 2)];
      expect([seed, same({ ...own, weightZeroPoint })]).toEqual([seed, true]);
    }
  });

  it('of whatever convolution, where it is taken', () => {
    let found = 0;
    for (let seed = 1; seed < 300; seed++) {
      const { integer } = randomFrom(seed);
      const pair = (least: number, most: number): Pair => [integer(least, most), integer(least, most)];
      const own = made({
        images: integer(1, 9),
        channels: integer(2, 40),
        out: integer(1, 40),
        size: pair(3, 20),
        padding: [pair(0, 3), pair(0, 3)],
        channelsLast: integer(0, 1) === 1,
        dtype: integer(0, 1) ? 'uint8' : 'int8',
        zeroPoint: integer(0, 255),
        weightZeroPoint: () => integer(-80, 80),
      });
      const sums = taken(own);
      if (!sums) continue;
      found++;
      expect([seed, bytesOf(sums).equals(bytesOf(summed(own)))]).toEqual([seed, true]);
    }
    expect(found).toBeGreaterThan(150);
  });
});

describe('blocks and threads', () => {
  const steps = linearSteps('fbgemm');
  /** Several images to a block, and an image of several blocks. */
  const CASES: readonly Convolution[] = [
    { images: 5, channels: 64, size: [56, 53], out: 33 },
    { images: 1, channels: 64, size: [250, 249], out: 5 },
    { images: 2, channels: 24, size: [29, 31], out: 40, channelsLast: true },
  ];

  test.each(CASES)('give the codes of the other way, $images of $size', (convolution) => {
    const own = made(convolution);
    const recipe = recipeOf(steps, own.product)!;
    for (const places of convolution.channelsLast ? [1] : [1, own.places]) {
      const expected = bytesOf(
        multiply(machine, operandsOf(EXACT, own.gathered, own.product)!, own.product, { recipe, places }),
      );
      expect(new Set(expected).size).toBeGreaterThan(100);
      for (const threads of [1, 2, 3, 4]) {
        const by = new Machine({ threads, worthThreads: 0, portable: true });
        const found = taken(own, { recipe, places }, by)!;
        expect([places, threads, expected.equals(bytesOf(found))]).toEqual([places, threads, true]);
      }
    }
  });

  it('job after job, whoever comes late', () => {
    const machines = [2, 3, 4].map((threads) => new Machine({ threads, worthThreads: 0, portable: true }));
    for (let seed = 1; seed < 60; seed++) {
      const { integer } = randomFrom(seed);
      const size = [integer(7, 25), integer(7, 25)] as const;
      const own = made({ size, channels: integer(12, 30), out: integer(30, 99), images: 6 }, seed);
      const one = taken(own)!.join();
      for (const by of machines) expect([seed, taken(own, SUMS, by)!.join() === one]).toEqual([seed, true]);
    }
  });
});

describe('another way is taken', () => {
  const wide = { w: () => 127, channels: 16 } as const;
  const REFUSED: Record<string, Convolution> = {
    'where windows are not 3x3': { kernel: [5, 3] },
    'where they are apart': { stride: 2 },
    'where their cells are': { dilation: 2 },
    'for codes of 16 bits': { dtype: 'int32' },
    'for a few channels': { channels: 3, size: [40, 40] },
    'for one channel': { channels: 1, size: [40, 40] },
    'for channels by themselves': { groups: 16, out: 16 },
    'for few places': { images: 1, size: [6, 6] },
    'for weights that 16 bits do not hold': { ...wide, weightZeroPoint: () => -101 },
    'for a zero point far from the codes': { zeroPoint: 400 },
  };

  test.each(Object.entries(REFUSED))('%s', (_, convolution) => {
    expect(taken(made(convolution))).toBe(null);
  });

  it('for sums of pairs that saturate', () => {
    const { product, gathered } = made({});
    const pairs = { codeShift: 0, blockLength: product.inFeatures };
    expect(winograd(machine, operandsOf(EXACT, gathered, product)!, product, SUMS)).not.toBe(null);
    expect(winograd(machine, operandsOf({ pairs }, gathered, product)!, product, SUMS)).toBe(null);
  });

  it('where bytes are multiplied faster, for more places', async () => {
    const relaxedModule = await moduleWith(MEANING);
    const bytes = new Machine({ threads: 1, worthProving: 0, relaxedModule });
    expect(bytes.multipliesBytes(1)).toBe(true);
    const [few, more] = [2, 8].map((images) => made({ images, size: [8, 8] }));
    expect(taken(few)).not.toBe(null);
    expect(taken(few, SUMS, bytes)).toBe(null);
    expect(taken(more, SUMS, bytes)).toEqual(summed(more));
  });

  it('only there', () => {
    expect(taken(made({ ...wide, weightZeroPoint: () => -100 }))).not.toBe(null);
    expect(taken(made({ images: 2, size: [8, 8] }))).not.toBe(null);
  });
});
