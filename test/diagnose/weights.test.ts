import { describe, expect, test } from 'vitest';
import type { Product } from '../../src/nouns/kernel.js';
import type { Report } from '../../src/nouns/report.js';
import type { QuantParams } from '../../src/nouns/value.js';
import { replayProduct } from '../../src/replay/product.js';
import { compareLayer, kernel, outputsOf, randomFrom, type World, worldOf } from './world.js';

interface Weight {
  channel: number;
  k: number;
  found: number;
  alternatives?: { k: number; found: number }[];
}

interface Solved {
  readonly whole: { channel: number; changed: number }[];
  readonly omitted: number;
}

/** A file in which these weights are others. */
function withWrong(world: World, places: readonly (readonly [channel: number, k: number])[]) {
  const weight = world.linear.weight.slice();
  for (const [channel, k] of places) {
    const at = channel * world.linear.inFeatures + k;
    weight[at] = weight[at] > 0 ? weight[at] - 90 : weight[at] + 90;
  }
  return { ...world.linear, weight };
}

const weightsOf = ({ layers }: Report) =>
  (layers[0].diagnosis?.evidence['weight-value'] as { weights: Weight[] } | undefined)?.weights ?? [];

describe('several wrong weights in a channel', () => {
  const world = worldOf('per tensor', randomFrom(21));
  const captured = outputsOf(world);
  test.each<[string, (readonly [number, number])[]]>([
    [
      'two in one channel',
      [
        [3, 1],
        [3, 30],
      ],
    ],
    [
      'two in each of four',
      [
        [0, 1],
        [0, 2],
        [9, 14],
        [9, 5],
        [17, 8],
        [17, 31],
        [30, 0],
        [30, 16],
      ],
    ],
    [
      'five in one channel',
      [
        [12, 2],
        [12, 3],
        [12, 11],
        [12, 19],
        [12, 28],
      ],
    ],
  ])('%s are found at their places, with what the codes leave open', async (_, places) => {
    const report = await compareLayer(world, withWrong(world, places), captured);
    expect(report.layers[0].diagnosis?.causes).toEqual(['weight-value']);
    const weights = weightsOf(report);
    expect(weights.map(({ channel, k }) => `${channel},${k}`).sort()).toEqual(places.map(String).sort());
    for (const { channel, k, found, alternatives = [] } of weights) {
      const values = [found, ...alternatives.map((other) => other.found)];
      expect(values, `weight ${channel}, ${k}`).toContain(world.linear.weight[channel * world.linear.inFeatures + k]);
    }
  });

  test('inputs that go together mislead no place', async () => {
    const random = randomFrom(13);
    const { inFeatures } = world.linear;
    const mixture = Array.from({ length: 4 * inFeatures }, random.normal);
    const rows = Array.from({ length: world.samples }, () => {
      const shared = Array.from({ length: 4 }, random.normal);
      return Array.from({ length: inFeatures }, (_, k) => {
        const real = shared.reduce((sum, value, r) => sum + value * mixture[4 * k + r], 0.5 * random.normal());
        return Math.min(255, Math.max(0, Math.round(110 + 22 * real)));
      });
    });
    const alike = { ...world, x: Uint8Array.from(rows.flat()) };
    const places = [1, 12, 20, 25].flatMap((channel) => [3, 17, 29].map((k) => [channel, k] as const));
    const report = await compareLayer(alike, withWrong(alike, places), outputsOf(alike));
    expect(report.layers[0].diagnosis?.causes).toEqual(['weight-value']);
    expect(report.layers[0].diagnosis?.evidence['weight-value']).toMatchObject({
      channels: [1, 12, 20, 25],
      omitted: 4,
    });
  });

  const many: [string, (readonly [number, number])[]][] = [
    ['more than eight', Array.from({ length: 12 }, (_, k) => [5, 2 * k] as const)],
    ['in more than a quarter of the channels', Array.from({ length: 24 }, (_, i) => [i >> 1, i] as const)],
  ];
  test.each(many)('%s: their channels are solved as a whole', async (_, places) => {
    const report = await compareLayer(world, withWrong(world, places), captured);
    expect(report.layers[0].diagnosis?.causes).toEqual(['weight-value']);
    const { whole, omitted } = report.layers[0].diagnosis!.evidence['weight-value'] as Solved;
    expect(whole.every(({ channel, changed }) => changed === places.filter(([n]) => n === channel).length)).toBe(true);
    expect(weightsOf(report).length + omitted).toBe(places.length);
    for (const { channel, k, found } of weightsOf(report)) expect(found).toBe(world.linear.weight[channel * 32 + k]);
  });

  test.each(many)('%s stay without a name where samples are few', async (_, places) => {
    const few = { ...world, samples: 60, x: world.x.subarray(0, 60 * 32) };
    const report = await compareLayer(few, withWrong(few, places), outputsOf(few));
    expect(report.layers[0].diagnosis?.causes).toEqual(['unexplained']);
  });

  test('a value beside them that nothing explains leaves all without a name', async () => {
    const noisy = captured.slice();
    noisy[7 * world.linear.outFeatures + 3] += 2;
    const report = await compareLayer(
      world,
      withWrong(world, [
        [3, 1],
        [3, 30],
      ]),
      noisy,
    );
    expect(report.layers[0].diagnosis?.causes).toEqual(['unexplained']);
  });

  test('inputs that are always equal do not tell whose weight it is', async () => {
    const x = world.x.map((code, i) => (i % 32 === 31 ? world.x[i - 1] : code));
    const twins = { ...world, x };
    const report = await compareLayer(
      twins,
      withWrong(twins, [
        [3, 1],
        [3, 30],
      ]),
      outputsOf(twins),
    );
    expect(report.layers[0].diagnosis?.causes).toEqual(['unexplained']);
  });
});

test('QNNPACK: one scale in the file for a scale a channel is one cause, its rounded biases included', async () => {
  for (const seed of [5, 6, 7]) {
    const world = worldOf('small', randomFrom(seed));
    const declared = { ...world.linear, perChannel: false, weightScale: world.linear.weightScale.slice(2, 3) };
    const report = await compareLayer(world, declared, outputsOf(world, kernel('qnnpack')), { kernel: 'qnnpack' });
    expect(report.layers[0].diagnosis?.causes, `seed ${seed}`).toEqual(['scale-per-tensor']);
  }
});

describe('float outputs of a saturating kernel that multiplies in another order', () => {
  const world = worldOf('wide', randomFrom(8));
  const linear = { ...world.linear, output: { dtype: 'float32' as const } };
  const truth = { ...world, linear };
  const codes = { rows: world.samples, cols: linear.inFeatures, data: world.x };
  const captured = replayProduct(kernel('onednn-pointwise-avx2'), linear, codes).data;
  const diagnose = async (declared: Product, values = captured) =>
    (await compareLayer(truth, declared, values, { kernel: 'onednn-pointwise' })).layers[0].diagnosis;

  test.each<[cause: string, wrong: Partial<Product>]>([
    ['bias-missing', { bias: null }],
    ['input-scale-wrong', { input: { ...linear.input, scale: linear.input.scale * 1.2 } }],
    ['scale-shifted', { weightScale: linear.weightScale.toReversed() }],
    ['capture-after-relu', { activation: 'none' }],
  ])('and a mistake of the file: %s', async (cause, wrong) => {
    const diagnosis = await diagnose({ ...linear, ...wrong });
    expect([...diagnosis!.causes].sort()).toEqual([cause, 'int16-saturation', 'multiplier-precision'].sort());
  });

  test('and two mistakes of the file stay without a name', async () => {
    const declared = { ...linear, bias: null, weightScale: linear.weightScale.toReversed() };
    expect((await diagnose(declared))?.causes).toEqual(['unexplained']);
  });
});

describe('all weights of channels', () => {
  /** As wide as the one above, with as many samples as it takes. */
  const many = (samples: number): World => {
    const world = worldOf('per tensor', randomFrom(21));
    const random = randomFrom(5);
    const x = Uint8Array.from({ length: samples * world.linear.inFeatures }, () => random.integer(20, 235));
    const output = { ...(world.linear.output as QuantParams), scale: (world.linear.output as QuantParams).scale * 1.6 };
    return { ...world, x, samples, linear: { ...world.linear, output } };
  };
  const stale = ({ linear }: World, channels: (n: number) => boolean) => ({
    ...linear,
    weight: linear.weight.map((w, i) =>
      channels(Math.floor(i / linear.inFeatures)) ? ((w * 7 + i * 31) % 255) - 127 : w,
    ),
  });

  test.each<[string, (n: number) => boolean, number]>([
    ['one channel', (n) => n === 5, 1],
    ['half of the layer', (n) => n % 2 === 0, 16],
    ['the layer', () => true, 32],
  ])('%s is found', async (_, channels, count) => {
    const world = many(900);
    const declared = stale(world, channels);
    const { diagnosis } = (await compareLayer(world, declared, outputsOf(world))).layers[0];
    expect(diagnosis).toMatchObject({ causes: ['weight-value'], subject: 'model', lost: 0 });
    expect(diagnosis!.explained).toBe(diagnosis!.of);
    const evidence = diagnosis!.evidence['weight-value'] as {
      whole: unknown[];
      whole_omitted: number;
      weights: Weight[];
    };
    expect(evidence.whole.length + evidence.whole_omitted).toBe(count);
    for (const { channel, k, found } of evidence.weights) {
      expect(found).toBe(world.linear.weight[channel * world.linear.inFeatures + k]);
    }
  });

  test('too few samples: how many it would take', async () => {
    const world = many(60);
    const report = await compareLayer(
      world,
      stale(world, (n) => n === 5),
      outputsOf(world),
    );
    const { causes, evidence } = report.layers[0].diagnosis!;
    expect(causes).toEqual(['unexplained']);
    const { would_take } = evidence.unexplained as { would_take: { channel: number; samples: number } };
    expect(would_take.channel).toBe(5);
    expect(would_take.samples).toBeGreaterThan(60);
    expect(would_take.samples).toBeLessThan(1500);
  });

  test('weights that are no integers stay without a name', async () => {
    const world = many(900);
    const captured = outputsOf(world);
    // half of an input's share goes to its neighbour's
    const wrong = world.x.map((code, i) => (i % 32 === 9 ? Math.round((code + world.x[i + 1]) / 2) : code));
    const other = outputsOf({ ...world, x: wrong });
    const mixed = captured.map((code, i) => (i % 32 === 5 ? other[i] : code));
    expect((await compareLayer(world, world.linear, mixed)).layers[0].diagnosis?.causes).toEqual(['unexplained']);
  });
});

describe('several wrong weights in a channel of a saturating kernel', () => {
  const world = worldOf('per tensor', randomFrom(21));
  const captured = outputsOf(world, kernel('fbgemm-avx2'));

  test.each<[string, (readonly [number, number])[]]>([
    [
      'two of different pairs',
      [
        [3, 1],
        [3, 30],
      ],
    ],
    [
      'the two of a pair',
      [
        [7, 4],
        [7, 5],
      ],
    ],
    [
      'three, and two in another channel',
      [
        [3, 1],
        [3, 14],
        [3, 25],
        [20, 8],
        [20, 19],
      ],
    ],
  ])('%s', async (_, places) => {
    const report = await compareLayer(world, withWrong(world, places), captured);
    const { causes, lost } = report.layers[0].diagnosis!;
    expect([[...causes].sort(), lost]).toEqual([['int16-saturation', 'weight-value'], 0]);
    const weights = weightsOf(report);
    expect(weights.map(({ channel, k }) => `${channel},${k}`).sort()).toEqual(places.map(String).sort());
    for (const { channel, k, found, alternatives = [] } of weights) {
      const values = [found, ...alternatives.map((other) => other.found)];
      expect(values).toContain(world.linear.weight[channel * world.linear.inFeatures + k]);
    }
  });

  test('and a value beside them that nothing explains: no name', async () => {
    const noisy = captured.slice();
    noisy[7 * world.linear.outFeatures + 3] += 2;
    const report = await compareLayer(
      world,
      withWrong(world, [
        [3, 1],
        [3, 30],
      ]),
      noisy,
    );
    expect(report.layers[0].diagnosis?.causes).toEqual(['unexplained']);
  });
});
