/** A call of 200 rows, by a script in other floats that makes one mistake: each beside its arithmetic, before the search ends. */
import { expect, test } from 'vitest';
import { withRange } from '../../src/kernels/steps/dynamic.js';
import { withoutInputZeroPoint } from '../../src/kernels/steps/lossyAccumulate.js';
import type { Product, ProductSteps } from '../../src/nouns/kernel.js';
import { dynamicSteps } from '../support/steps.js';
import { type Calls, compareCalls, dynamicWith, outputsIn } from './dynamicWorld.js';
import { quant, randomFrom } from './world.js';

const [SAMPLES, IN, OUT] = [200, 16, 24];
const random = randomFrom(77);
const x = Float32Array.from({ length: SAMPLES * IN }, () => Math.fround(random.normal() + 0.5));
const truth: Product = {
  perChannel: false,
  weightScale: Float64Array.of(0.001958912005648017),
  weightZeroPoint: Int32Array.of(0),
  bias: Float32Array.from({ length: OUT }, () => Math.fround(random.normal() / 5)),
  biasInt32: null,
  activation: 'none',
  outFeatures: OUT,
  inFeatures: IN,
  weight: Int8Array.from({ length: OUT * IN }, () => random.integer(-127, 127)),
  input: quant(1, 0),
  output: { dtype: 'float32' },
};

const calls: Calls = { x, batch: SAMPLES, reduceRange: true };
const outputsOf = (by: ProductSteps, linear: Product = truth) => outputsIn(calls, by, linear);

const numpy = dynamicSteps('numpy')!;

test.each<[cause: string, candidate: Float32Array]>([
  ['bias-missing', outputsOf(numpy, { ...truth, bias: null })],
  ['activation-zero-point-missing', outputsOf({ ...numpy, accumulate: withoutInputZeroPoint(numpy.accumulate) })],
  ['activation-range', outputsOf(dynamicWith('numpy', (step) => withRange(step, { grain: 'row' })))],
])('%s', async (cause, candidate) => {
  const captured = outputsOf(dynamicSteps('fbgemm')!);
  const { layers, candidate_layers } = await compareCalls(calls, truth, 'x86', captured, candidate);
  expect(layers[0].mismatched).toBe(0);
  expect([...candidate_layers![0].diagnosis!.causes].sort()).toEqual([cause, 'multiplier-precision']);
});
