/** Bias, multiplier, rounding, offset and clamp: what tells siblings apart, and that any of them go together. */
import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import { kernels } from '../../../src/kernels/registry.js';
import * as bias from '../../../src/kernels/steps/bias.js';
import { DOUBLE_ROUNDING, DOUBLE_ROUNDING_UP, SINGLE_ROUNDING } from '../../../src/kernels/steps/fixedPoint.js';
import * as multiplier from '../../../src/kernels/steps/multiplier.js';
import * as offset from '../../../src/kernels/steps/offsetAndClamp.js';
import * as round from '../../../src/kernels/steps/round.js';
import { weightScaleOf } from '../../../src/kernels/steps/scales.js';
import type { BiasStep, MultiplierStep, OffsetAndClampStep, Product } from '../../../src/nouns/kernel.js';
import type { QuantParams } from '../../../src/nouns/value.js';
import { f32 } from '../../../src/numeric/float.js';
import { replayProduct, stepsBeforeRounding } from '../../../src/replay/product.js';
import { linearSteps } from '../../support/steps.js';
import { codesOf, layerCases, linearOf, params } from '../layers.js';

const multipliers = [...multiplier.floatMultipliers, ...multiplier.fixedPointMultipliers];
const biases = [...bias.floatBiases, ...bias.int32Biases];

/** One channel, accumulator units of 1/8, output steps of 1/4: a multiplier of 1/2. */
const halving = (b: number | null): Product =>
  linearOf({
    weight: [[1]],
    input: params('uint8', 2 ** -1, 0),
    weightScale: [2 ** -2],
    output: params('uint8', 2 ** -2, 100),
    bias: b === null ? null : [b],
  });

function steps(linear: Product, acc: number, biasStep: BiasStep, multiplierStep: MultiplierStep): number {
  const kernel = { ...linearSteps('fbgemm'), bias: biasStep, multiplier: multiplierStep };
  return stepsBeforeRounding(kernel, linear)(acc, 0);
}

describe('bias', () => {
  // 0.3 is 2.4 accumulator units
  test.each([
    [bias.realBias, (10 + 2.4) / 2],
    [bias.floatBias, (10 + 2.4) / 2],
    [bias.floatBiasUnfused, (10 + 2.4) / 2],
    [bias.float64Bias, (10 + 2.4) / 2],
    [bias.int32BiasReciprocal, 6],
    [bias.int32BiasDivision32, 6],
    [bias.int32BiasFloat64, 6],
    [bias.int32BiasReciprocalHalfAway, 6],
    [bias.int32BiasHalfAway, 6],
    [bias.noBias, 5],
    [bias.unscaledBias, (10 + 0.3) / 2],
    [bias.unscaledBiasInt32, 5],
  ])('$name', (step, expected) => {
    expect(steps(halving(0.3), 10, step, multiplier.float32Product)).toBeCloseTo(expected, 5);
    expect(steps(halving(null), 10, step, multiplier.float32Product)).toBe(5);
  });

  it('half a unit tells ties to even from ties away', () => {
    const linear = halving(0.3125); // 2.5 units
    const of = (step: BiasStep) => steps(linear, 0, step, multiplier.float32Product);
    expect([bias.int32BiasFloat64, bias.int32BiasDivision32, bias.int32BiasReciprocal].map(of)).toEqual([1, 1, 1]);
    expect([bias.int32BiasHalfAway, bias.int32BiasReciprocalHalfAway].map(of)).toEqual([1.5, 1.5]);
  });

  // numpy in float32: rint(b * f32(1 / s)), where b times an unrounded 1 / s, and b / s, are one less
  it.each([
    [9.404294967651367, 0.009763291105628014, 0.098990797996521, 9731],
    [33.565330505371094, 0.011082327924668789, 0.0701085776090622, 43201],
    [114.25018310546875, 0.028613517060875893, 0.06127752736210823, 65161],
  ])('a reciprocal is a float32 too: %d', (b, xScale, wScale, units) => {
    const linear = { ...halving(b), input: params('uint8', xScale, 0), weightScale: Float64Array.of(wScale) };
    const of = (step: BiasStep) => (step.prepare(linear) as { values: Int32Array }).values[0];
    expect([bias.int32BiasReciprocal, bias.int32BiasDivision32].map(of)).toEqual([units, units - 1]);
  });

  it('an int32 bias of the file is added as it is, by every step', () => {
    const linear = { ...halving(null), biasInt32: Int32Array.of(7) };
    for (const step of biases) expect(steps(linear, 1, step, multiplier.float32Product)).toBe(4);
  });

  it('rounds what no int32 can hold to the nearest that can', () => {
    const prepared = bias.int32BiasFloat64.prepare({ ...halving(1e30) });
    expect(prepared).toMatchObject({ unit: 'int32', values: Int32Array.of(2147483647) });
  });

  it('wraps where accumulator and bias leave int32 together', () => {
    const linear = { ...halving(null), biasInt32: Int32Array.of(1) };
    expect(steps(linear, 2147483647, bias.floatBias, multiplier.float64Product)).toBe(-(2 ** 30));
  });

  it('per tensor FBGEMM multiplies by a reciprocal in one FMA, per channel it divides', () => {
    const linear = linearOf({
      weight: [[1]],
      input: params('uint8', f32(0.1), 0),
      weightScale: [f32(0.3)],
      bias: [f32(0.7)],
    });
    const add = (step: BiasStep, perChannel: boolean, acc: number) => {
      const prepared = step.prepare({ ...linear, perChannel });
      return prepared.unit === 'accumulator' ? prepared.add(acc, 0) : Number.NaN;
    };
    let fused = 0;
    for (let acc = -100; acc < 100; acc++) {
      expect(add(bias.floatBias, true, acc)).toBe(add(bias.floatBiasUnfused, true, acc));
      if (add(bias.floatBias, false, acc) !== add(bias.floatBiasUnfused, false, acc)) fused++;
    }
    expect(fused).toBeGreaterThan(0);
  });
});

describe('multiplier', () => {
  it('every floating-point form differs from every other on some accumulator', () => {
    const linear = (n: number) =>
      linearOf({
        weight: [[1]],
        perChannel: true,
        input: params('uint8', 0.0173 + n * 1.1e-5, 0),
        weightScale: [0.00311 + n * 3.7e-7],
      });
    const output = params('uint8', 0.0217, 0);
    const results = multiplier.floatMultipliers.map((step) => {
      const values: number[] = [];
      for (let n = 0; n < 40; n++) {
        const scale = step.toSteps(linear(n), output);
        for (const acc of [77777, -54321, 12345, 16777217]) values.push(scale(acc, 0, 0));
      }
      return values.join();
    });
    expect(new Set(results).size).toBe(multiplier.floatMultipliers.length);
  });

  test.each(multipliers)('$name halves', (step) => {
    expect(steps(halving(null), 20, bias.noBias, step)).toBe(10);
    expect(step.toReal(halving(null))(20, 0, 0.5)).toBe(3);
  });

  // 1/2 of odd accumulators: the fixed-point forms round inside
  test.each([
    [multiplier.fixedPointDoubleRounding, [-3, -1, 1, 3], [-1, 0, 1, 2]],
    [multiplier.fixedPointSingleRounding, [-3, -1, 1, 3], [-1, 0, 1, 2]],
  ])('$name rounds half up in the first step', (step, accs, expected) => {
    expect(accs.map((acc) => steps(halving(null), acc, bias.noBias, step) + 0)).toEqual(expected);
  });
});

describe('offset and clamp', () => {
  const all = [...offset.offsetsAfterRounding, ...offset.offsetsBeforeRounding];
  const code = (step: OffsetAndClampStep, v: number, zeroPoint = 3) =>
    step.prepare(round.halfEven, zeroPoint, 0, 255)(v);

  test.each([
    // rint(0.5) + 3 is 3; rint(3.5) is 4
    [0.5, [3, 3, 3, 4, 4]],
    [1.5, [5, 5, 5, 4, 4]],
    [-3.6, [0, 0, 0, 0, 0]],
    [300, [255, 255, 255, 255, 255]],
    // what leaves int32 is the smallest for x86's pack
    [3e9, [0, 255, 255, 255, 255]],
    [-3e9, [0, 0, 0, 0, 0]],
    [Number.NaN, [0, 0, 0, 0, 0]],
    // f32(2.4999999 + 3) is 5.5, in float64 it is below
    [2.4999999, [5, 5, 5, 6, 5]],
  ])('%f', (v, expected) => expect(all.map((step) => code(step, v))).toEqual(expected));
});

it('any bias, multiplier and offset go together: within a rounding of the real value', () => {
  const combination = fc.record({
    bias: fc.constantFrom(...biases),
    multiplier: fc.constantFrom(...multipliers),
    offsetAndClamp: fc.constantFrom(...offset.offsetsAfterRounding, ...offset.offsetsBeforeRounding),
    round: fc.constantFrom(round.halfEven, round.halfAway, round.halfUp),
    kernel: fc.constantFrom(...kernels.map(linearSteps).filter(({ float }) => !float)),
  });
  fc.assert(
    fc.property(layerCases({ maxInFeatures: 12 }), combination, ({ linear, x }, { kernel, ...steps }) => {
      const mixed = { ...kernel, ...steps, accumulate: linearSteps('fbgemm').accumulate };
      const output = linear.output as QuantParams;
      const replayed = replayProduct(mixed, { ...linear, activation: 'none' }, x);
      replayed.data.forEach((code, i) => {
        const channel = i % linear.outFeatures;
        const unit = linear.input.scale * weightScaleOf(linear, channel);
        const b = linear.bias?.[channel] ?? 0;
        const ideal = (replayed.accumulator![i] * unit + b) / output.scale + output.zeroPoint;
        const clamped = Math.min(Math.max(ideal, output.quantMin), output.quantMax);
        const slack = 0.5 + (b === 0 ? 0 : Math.max(0.5, unit / output.scale)) + Math.abs(ideal) * 2 ** -20 + 2e-3;
        expect(Math.abs(code - clamped)).toBeLessThanOrEqual(slack);
      });
    }),
    { seed: 31, numRuns: 300 },
  );
});

it('the reciprocal form and the division differ next to a tie', () => {
  const linear = (n: number) =>
    linearOf({ weight: [[1]], input: params('uint8', 0.01 + n / 1e6, 0), weightScale: [0.003] });
  const differing = Array.from({ length: 200 }, (_, n) => {
    const forms = [multiplier.float32Product, multiplier.float32ProductReciprocal];
    const [a, b] = forms.map((step) => step.toSteps(linear(n), params('uint8', 0.02, 0))(1, 0, 0));
    return a !== b;
  }).filter(Boolean);
  expect(differing.length).toBeGreaterThan(20);
});

it('replays an example by hand: 3 * 4 - 2 * 5 at scale 0.02, bias 0.1', () => {
  const linear = linearOf({
    weight: [[4, -5]],
    input: params('uint8', 0.2, 10),
    weightScale: [0.1],
    output: params('uint8', 0.05, 3),
    bias: [0.1],
  });
  // acc = 2, 2 * 0.02 + 0.1 = 0.14, 0.14 / 0.05 = 2.8, 3 + 3 = 6
  for (const kernel of kernels) {
    expect({
      kernel: kernel.name,
      codes: [...replayProduct(linearSteps(kernel), linear, codesOf(linear, [[13, 12]])).data],
    }).toEqual({
      kernel: kernel.name,
      codes: [6],
    });
  }
});

// the shift of every file and table: an exponent, which is negative where it shifts to the right
test.each([DOUBLE_ROUNDING, DOUBLE_ROUNDING_UP, SINGLE_ROUNDING])(
  'the equation of $rounding rounding gives its values',
  (form) => {
    const real = 0.0007316571;
    const { multiplier: m, exponent: shift } = form.quantize(real);
    const written = form
      .equation('acc')
      .replace('((acc * m + 2^30) >> 31)', 'Math.floor((acc * m + 2^30) / 2^31)')
      .replace('2^-shift', '2^(-shift)')
      .replaceAll('^', '**');
    const up = (v: number) => Math.floor(v + 0.5);
    const away = (v: number) => Math.sign(v) * up(Math.abs(v));
    const compute = new Function('acc', 'm', 'shift', 'roundHalfUp', 'roundHalfAway', `return ${written}`);
    for (const acc of [-160_000, -683, 0, 683, 2050, 160_001]) {
      expect(compute(acc, m, shift, up, away) + 0).toBe(form.multiply(acc, { multiplier: m, exponent: shift }) + 0);
      expect(Math.abs(compute(acc, m, shift, up, away) - acc * real)).toBeLessThan(1);
    }
  },
);
