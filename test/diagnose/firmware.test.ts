/** Integer code beside FBGEMM, which adds a float bias: its biases in int32, its multipliers of 16 or 31 bits, and one mistake more. */
import { describe, expect, test } from 'vitest';
import { numberIn, realOf, shortMultiplier } from '../../src/diagnose/alternatives/short/shortMultiplier.js';
import { int32BiasCut, int32BiasFloat64, noBias } from '../../src/kernels/steps/bias.js';
import { fixedPointSingleRounding, float64Product } from '../../src/kernels/steps/multiplier.js';
import { downward, halfUp, insideMultiplier } from '../../src/kernels/steps/round.js';
import type { Product, ProductSteps } from '../../src/nouns/kernel.js';
import type { QuantParams } from '../../src/nouns/value.js';
import { int32s } from '../../src/numeric/array.js';
import { compareLayer, explanationsOf, fbgemmWith, outputsOf, randomFrom, type World, worldOf } from './world.js';

const of31Bits = fbgemmWith({ bias: int32BiasFloat64, multiplier: fixedPointSingleRounding, round: insideMultiplier });

/** k * 2^-n, k of 16 bits, the nearest. */
function of16Bits(linear: Product, more: Partial<ProductSteps> = {}): ProductSteps {
  const numbersOf = (own: Product) =>
    Array.from({ length: own.outFeatures }, (_, n) => numberIn(realOf(own, n), 16, Math.round, null));
  const multiplier = shortMultiplier(numbersOf(linear), numbersOf);
  return fbgemmWith({ bias: int32BiasFloat64, multiplier, round: halfUp, ...more });
}

function worldOfRows(seed: number, samples: number): World {
  const world = worldOf('small', randomFrom(seed));
  const random = randomFrom(seed + 1);
  const { inFeatures, input } = world.linear;
  const code = () => Math.min(255, Math.max(0, Math.round(input.zeroPoint + 45 * random.normal())));
  return { ...world, samples, x: Uint8Array.from({ length: samples * inFeatures }, code) };
}

const output = (linear: Product) => linear.output as QuantParams;
const scaled = (linear: Product, by: number): Product => ({
  ...linear,
  output: { ...output(linear), scale: output(linear).scale * by },
});

async function saidOf(world: World, candidate: Int32Array): Promise<string[]> {
  return explanationsOf(await compareLayer(world, world.linear, outputsOf(world), { candidate, producer: {} }));
}

test.each([1, 2, 3])(
  'a scale of the output over 256 codes, not 255: one number, on what rounds biases (seed %i)',
  async (seed) => {
    const world = worldOfRows(seed, 400);
    const said = await saidOf(world, outputsOf(world, of31Bits, scaled(world.linear, 255 / 256)));
    expect(said).toContain('bias-int32+output-scale-wrong');
    expect(said.join()).not.toContain('bias-factor');
  },
);

describe('multipliers of 16 bits', () => {
  test('sums that are shifted without rounding: a large layer has its name before pairs take all of the time', async () => {
    const world = worldOfRows(4, 1500);
    const said = await saidOf(world, outputsOf(world, of16Bits(world.linear, { round: downward })));
    expect(said.some((names) => /^multiplier-short\+rounding-(floor|truncate)$/.test(names))).toBe(true);
  });

  test.each<[string, (linear: Product) => Partial<Product>]>([
    ['activation-zero-point-missing', (linear) => ({ input: { ...linear.input, zeroPoint: 0 } })],
    ['clamp-range', (linear) => ({ output: { ...output(linear), quantMax: 127 } })],
  ])('%s', async (cause, change) => {
    const world = worldOfRows(5, 1500);
    const own = { ...world.linear, ...change(world.linear) };
    const [said] = await saidOf(world, outputsOf(world, of16Bits(own), own));
    expect(said.split('+')).toEqual(expect.arrayContaining([cause, 'multiplier-short']));
  });

  test.each([1, 2, 3, 4])(
    'of few values no number a channel stands for a factor of all biases (seed %i)',
    async (seed) => {
      const world = worldOfRows(seed, 120);
      const own = { ...world.linear, bias: world.linear.bias!.map((b) => 2 * b) };
      const said = await saidOf(world, outputsOf(world, of16Bits(own), own));
      expect(said.join()).not.toContain('bias-value');
    },
  );

  test.each([1, 2, 3, 4])(
    'nor a factor of the biases and one of the input for a scale of the output (seed %i)',
    async (seed) => {
      const world = worldOfRows(seed, 120);
      const own = scaled(world.linear, 255 / 127);
      const said = await saidOf(world, outputsOf(world, of16Bits(own), own));
      expect(said.join()).not.toContain('bias-factor');
    },
  );
});

describe('biases cut to int32, beside another mistake', () => {
  test.each<[string, (linear: Product) => Partial<Product>]>([
    ['input-zero-point-wrong', (linear) => ({ input: { ...linear.input, zeroPoint: linear.input.zeroPoint + 7 } })],
    ['clamp-range', (linear) => ({ output: { ...output(linear), quantMax: 127 } })],
  ])('%s', async (cause, change) => {
    const world = worldOfRows(6, 800);
    const own = { ...world.linear, ...change(world.linear) };
    const said = await saidOf(world, outputsOf(world, fbgemmWith({ bias: int32BiasCut }), own));
    expect(said).toEqual([['bias-int32', cause].sort().join('+')]);
  });
});

test('biases of the next channel, and no zero point of the output', async () => {
  const world = worldOfRows(7, 300);
  const bias = world.linear.bias!.map((_, n, all) => all[(n + 1) % all.length]);
  const own = { ...world.linear, bias, output: { ...output(world.linear), zeroPoint: 0 } };
  expect(await saidOf(world, outputsOf(world, undefined, own))).toEqual(['bias-shifted+output-zero-point-wrong']);
});

describe('an int32 bias of the file, added behind a multiplier of 8 bits', () => {
  const SHIFT = 15;

  test.each<[string, (v: number) => number, string]>([
    ['and cut off, as PULP-NN does', Math.floor, 'multiplier-short+rounding-floor'],
    ['and rounded', (v) => Math.floor(v + 0.5), 'multiplier-short'],
  ])('%s', async (_, round, causes) => {
    const world = worldOfRows(6, 1500);
    const { bias, weightScale, input } = world.linear;
    const units = (n: number) => input.scale * weightScale[n];
    const linear: Product = {
      ...world.linear,
      bias: null,
      biasInt32: int32s(bias!, (b, n) => Math.round(b / units(n))),
    };
    const real = (n: number) => units(n) / output(linear).scale;
    const k = (n: number) => Math.round(real(n) * 2 ** SHIFT);
    const lambda = (n: number) => Math.round(linear.biasInt32![n] * real(n) * 2 ** SHIFT);
    const toSteps = () => (acc: number, n: number) => (acc * k(n) + lambda(n)) / 2 ** SHIFT;
    const own = { ...halfUp, name: 'own', apply: round };
    const steps = fbgemmWith({ multiplier: { ...float64Product, name: 'k', toSteps }, bias: noBias, round: own });
    const candidate = outputsOf({ ...world, linear: { ...linear, biasInt32: null } }, steps);
    const report = await compareLayer(world, linear, outputsOf({ ...world, linear }), { candidate, producer: {} });
    expect(explanationsOf(report)[0]).toBe(causes);
    const { fix } = report.candidate_layers![0].diagnosis!;
    expect(fix).toContain('add the bias to the sum, as an int32, before it is multiplied');
  });
});
