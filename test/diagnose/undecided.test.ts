/** What the data do not tell is left open: whether an integer or a float multiplies, and what else gives values next to a border between codes. */
import { expect, test } from 'vitest';
import { int16Wrap } from '../../src/kernels/steps/accumulate.js';
import type { QuantParams } from '../../src/nouns/value.js';
import { clamp } from '../../src/numeric/integer.js';
import { roundHalfEven } from '../../src/numeric/round.js';
import { findings } from '../../src/report/words/findings.js';
import { compareLayer, explanationsOf, kernel, outputsOf, randomFrom, worldOf } from './world.js';

async function told(by: string) {
  const world = worldOf('per tensor', randomFrom(17));
  const captured = outputsOf(world, kernel('tflite-double'));
  const candidate = outputsOf(world, kernel(by));
  const report = await compareLayer(world, world.linear, captured, {
    candidate,
    producer: {},
    kernel: 'tflite-double',
  });
  const [{ headlines, details }] = findings(report, () => true);
  const because = details.find(({ label }) => label === 'because')!.sentences.join(' ');
  return {
    names: explanationsOf(report),
    headline: headlines.at(-1),
    because,
    evidence: report.candidate_layers![0].diagnosis!.evidence,
  };
}

test.each(['tflite-single', 'numpy'])('%s', async (by) => {
  const { names, headline, because, evidence } = await told(by);
  expect(names).toEqual(['fixed-point-multiplier', 'multiplier-precision', 'float-arithmetic']);
  expect(evidence).toHaveProperty(['fixed-point-multiplier', 'or_float'], true);
  expect(headline).toMatch(/^Yours: rounded once, after an int32 or a float multiplier/);
  expect(because).toMatch(/^Yours rounds once, .* these values do not tell which; .* multiplies by the int32/);
});

test('two roundings of another kind are an integer’s: that is said', async () => {
  const { names, headline, because } = await told('tflite-double-up');
  expect(names[0]).toBe('fixed-point-multiplier');
  expect(headline).toMatch(/^Yours: fixed-point multiplier, double-up rounding/);
  expect(because).not.toContain('do not tell');
});

test('one rounding where a float is declared, and sums that do not saturate: an integer or a float', async () => {
  const world = worldOf('wide', randomFrom(18));
  const captured = outputsOf(world, kernel('numpy'));
  const report = await compareLayer(world, world.linear, captured, { producer: {}, kernel: 'fbgemm-avx2' });
  const { causes, evidence, explained_by } = report.layers[0].diagnosis!;
  expect(causes).toContain('int16-saturation');
  expect(explained_by).toContain('numpy');
  // a float64 or an int32 of 31 bits: where the integer is named it is said that a float does as well
  const own = evidence['fixed-point-multiplier'] as { or_float?: true } | undefined;
  expect(causes.includes('fixed-point-multiplier') && !own?.or_float).toBe(false);
});

test('a rounding that only sums that wrap show: that it is another, and not which', async () => {
  const world = worldOf('wide', randomFrom(6));
  const captured = outputsOf(world, kernel('tflite-double'));
  const candidate = outputsOf(world, { ...kernel('tflite-single'), accumulate: int16Wrap });
  const report = await compareLayer(world, world.linear, captured, {
    candidate,
    producer: {},
    kernel: 'tflite-double',
  });
  expect(explanationsOf(report)).toEqual(['accumulator-wraps']);
  const [{ details }] = findings(report, () => true);
  const because = details.find(({ label }) => label === 'because')!.sentences;
  expect(because.at(-1)).toMatch(
    /^Yours multiplies or rounds otherwise, in a way that these values do not tell; the capture /,
  );
});

test('float32 sums of which few values tell are listed beside the steps that give the same', async () => {
  const world = worldOf('small', randomFrom(19));
  const { linear, x, samples } = world;
  const { input, weight, weightScale, inFeatures, outFeatures } = linear;
  const output = linear.output as QuantParams;
  const f32 = Math.fround;
  const inFloat = Int32Array.from({ length: samples * outFeatures }, (_, i) => {
    const [row, n] = [Math.floor(i / outFeatures), i % outFeatures];
    let sum = 0;
    for (let k = 0; k < inFeatures; k++) {
      const read = f32((x[row * inFeatures + k] - input.zeroPoint) * f32(input.scale));
      sum = f32(sum + f32(read * f32(weight[n * inFeatures + k] * f32(weightScale[n]))));
    }
    return clamp(roundHalfEven(f32(sum + linear.bias![n]) / output.scale) + output.zeroPoint, 0, 255);
  });
  const report = await compareLayer(world, linear, outputsOf(world, kernel('numpy')), {
    candidate: inFloat,
    producer: {},
    kernel: 'numpy',
  });
  expect(report.layers[0].mismatched ?? 0).toBe(0);
  expect(explanationsOf(report)).toContain('float-arithmetic');
});

test('exact sums where the declared kernel wraps int16', async () => {
  const { linear: own, ...world } = worldOf('per tensor', randomFrom(20));
  const { input, weight } = own;
  const isLowest = (i: number) => i % 16 === 0 || i % 16 === 8;
  const signed = { ...input, dtype: 'int8' as const, quantMin: -128, quantMax: 127, zeroPoint: input.zeroPoint - 128 };
  const linear = { ...own, input: signed, weight: weight.map((w, i) => (isLowest(i) && i < 64 ? -128 : w)) };
  const x = Int8Array.from(world.x, (code, i) => (isLowest(i) && i < 640 ? -128 : code - 128));
  const lowest = { ...world, linear, x };
  const report = await compareLayer(lowest, linear, outputsOf(lowest, kernel('ort')), {
    producer: {},
    kernel: 'ort-arm',
  });
  expect(report.layers[0].diagnosis).toMatchObject({
    causes: ['accumulator-wraps'],
    evidence: { 'accumulator-wraps': { exact: true } },
  });
  const [{ headlines }] = findings(report, () => true);
  expect(headlines.join(' ')).toContain('exact sums, no wrapping in 16 bits');
});
