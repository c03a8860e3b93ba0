/** Sums that are exact where the declared kernel's saturate, and accumulators that hold the bias. */
import { describe, expect, test } from 'vitest';
import { int32BiasFloat64 } from '../../src/kernels/steps/bias.js';
import { roundedProductSums } from '../../src/kernels/steps/lossyAccumulate.js';
import { float64Product } from '../../src/kernels/steps/multiplier.js';
import { biasedAccumulators, narrowAccumulators } from '../../src/kernels/steps/narrowAccumulate.js';
import { roundThenOffset } from '../../src/kernels/steps/offsetAndClamp.js';
import type { Product, ProductSteps } from '../../src/nouns/kernel.js';
import { replayProduct } from '../../src/replay/product.js';
import { findings } from '../../src/report/words/findings.js';
import { ofIntegers } from './mistakes.js';
import { compareLayer, fbgemmWith, kernel, outputsOf, randomFrom, type World, worldOf } from './world.js';

const world = worldOf('per tensor', randomFrom(31));

/** Its exact sums under a kernel that is declared to saturate. */
const underSaturating = (captured: Int32Array, candidate?: Int32Array) =>
  compareLayer(world, world.linear, captured, { candidate, kernel: 'fbgemm-avx2' });

describe('exact sums under a kernel that saturates', () => {
  const [exact, saturated] = [outputsOf(world), outputsOf(world, kernel('fbgemm-avx2'))];

  test('of a capture', async () => {
    const report = await underSaturating(exact);
    const { diagnosis } = report.layers[0];
    expect(diagnosis).toMatchObject({
      causes: ['int16-saturation'],
      evidence: { 'int16-saturation': { exact: true } },
    });
    const [{ headlines, details }] = findings(report, () => true);
    expect(headlines.join()).toMatch(/exact sums/);
    // it does not saturate: nothing that would keep it from doing so is advised
    expect(JSON.stringify(details)).not.toMatch(/reduce_range=|FBGEMM_ENABLE/);
    expect(diagnosis!.fix).toContain('"kernel": "fbgemm"');
  });

  test('of a candidate: it follows by pairs', async () => {
    const report = await underSaturating(saturated, exact);
    const { diagnosis } = report.candidate_layers![0];
    expect(diagnosis).toMatchObject({
      causes: ['int16-saturation'],
      evidence: { 'int16-saturation': { exact: true } },
      rehearsal: { mismatched_after_fix: 0 },
    });
    expect(diagnosis!.fix).toContain('clamp each pair to int16');
  });

  test('where no pair leaves int16 there is nothing to name', async () => {
    const half = { ...world, x: world.x.map((code) => code >> 2) };
    const report = await compareLayer(half, half.linear, outputsOf(half), { kernel: 'fbgemm-avx2' });
    expect(report.layers[0]).toMatchObject({ mismatched: 0, diagnosis: null });
  });
});

describe('an accumulator narrower than int32', () => {
  /** Biases that take sums beyond int16, which they do not leave by themselves. */
  function nearTheLimit(): World {
    const small = worldOf('small', randomFrom(9));
    const { input, weightScale } = small.linear;
    const x = small.x.map((code) => 128 + Math.round((code - 128) / 2));
    const bias = small.linear.bias!.map((_, n) => (n % 2 === 0 ? 1 : -1) * 27000 * input.scale * weightScale[n]);
    const output = { ...(small.linear.output as { scale: number }), scale: input.scale * weightScale[0] * 400 };
    return { ...small, x, linear: { ...small.linear, bias, output: { ...small.linear.output, ...output } as never } };
  }
  const near = nearTheLimit();
  const script = { bias: int32BiasFloat64, multiplier: float64Product, offsetAndClamp: roundThenOffset };
  const ofBits = (steps: typeof narrowAccumulators) =>
    steps.filter(({ bits, of }) => bits === 16 && of === 'sum').map((step) => [`${step.overflow}s`, step] as const);

  test.each(ofBits(biasedAccumulators))('that holds the bias %s', async (_, accumulate) => {
    const candidate = outputsOf(near, fbgemmWith({ ...script, accumulate }));
    const report = await compareLayer(near, near.linear, outputsOf(near), { candidate });
    const { diagnosis } = report.candidate_layers![0];
    expect(diagnosis!.causes).toContain('accumulator-wraps');
    expect(diagnosis!.evidence['accumulator-wraps']).toMatchObject({
      bits: 16,
      overflow: accumulate.overflow,
      holds_bias: true,
    });
  });

  test.each(ofBits(narrowAccumulators))('without it, none leaves int16: nothing differs, it %s', (_, accumulate) => {
    const candidate = outputsOf(near, fbgemmWith({ ...script, accumulate }));
    expect(candidate).toEqual(outputsOf(near, fbgemmWith(script)));
  });
});

test('sums that lose their low bits, bias and all: the bias is an integer on both sides', async () => {
  const small = worldOf('small', randomFrom(3));
  const candidate = ofIntegers(small, (sum) => Math.floor(sum / 64 + 0.5) * 64);
  const report = await compareLayer(small, small.linear, outputsOf(small), { candidate });
  const { causes, fix } = report.candidate_layers![0].diagnosis!;
  expect(causes).toEqual(['product-rounded']);
  expect(fix).toMatch(/^multiply the sum in full/);
  expect(fix).not.toMatch(/bias to int32 first/);
});

describe('a float output', () => {
  const linear: Product = { ...world.linear, output: { dtype: 'float32' } };
  const floatsOf = (steps: ProductSteps) => {
    const codes = { rows: world.samples, cols: linear.inFeatures, data: world.x };
    return Float32Array.from(replayProduct(steps, linear, codes).data);
  };
  const causesOf = async (steps: ProductSteps, declared: string) => {
    const own = { ...world, linear };
    const report = await compareLayer(own, linear, floatsOf(kernel(declared)), {
      candidate: floatsOf(steps),
      kernel: declared,
      producer: {},
    });
    return report.candidate_layers![0].diagnosis!.causes;
  };

  test('of products that are rounded before they are added', async () => {
    const rounded = roundedProductSums.find(({ product }) => product?.bits === 5 && product.rule === 'down')!;
    expect(await causesOf(fbgemmWith({ accumulate: rounded }), 'fbgemm')).toEqual(['product-rounded']);
  });

  test.each(['tflite-double', 'numpy-float32'])('by %s: no integer multiplies it', async (by) => {
    expect(await causesOf(kernel(by), 'numpy')).not.toContain('fixed-point-multiplier');
  });
});
