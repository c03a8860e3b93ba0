/** A call of 200 rows, by a script in other floats that makes one mistake: each beside its arithmetic, before the search ends. */
import { expect, test } from 'vitest';
import { compare } from '../../src/compare/compare.js';
import { withRange } from '../../src/kernels/steps/dynamic.js';
import { withoutInputZeroPoint } from '../../src/kernels/steps/lossyAccumulate.js';
import type { Product, ProductSteps } from '../../src/nouns/kernel.js';
import type { Layer, ProductForm } from '../../src/nouns/model.js';
import { rangeOfRow } from '../../src/replay/layer.js';
import { replayProduct } from '../../src/replay/product.js';
import { dynamicSteps } from '../support/steps.js';
import { dynamicWith } from './dynamicWorld.js';
import { capturedValue, captureOf, modelOf, quant, randomFrom } from './world.js';

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

function outputsOf(by: ProductSteps, linear: Product = truth): Float32Array {
  const rows = by.dynamic!.grain === 'row' ? 1 : SAMPLES;
  const values = new Float32Array(SAMPLES * OUT);
  for (let row = 0; row < SAMPLES; row += rows) {
    const batch = x.subarray(row * IN, (row + rows) * IN);
    const { min, max } = rangeOfRow(batch);
    const input = by.dynamic!.chooseQuantParams(min, max, true);
    const codes = { rows, cols: IN, data: Uint8Array.from(batch, by.dynamic!.quantize.prepare(input)) };
    values.set(replayProduct(by, { ...linear, input }, codes).data, row * OUT);
  }
  return values;
}

const numpy = dynamicSteps('numpy')!;

test.each<[cause: string, candidate: Float32Array]>([
  ['bias-missing', outputsOf(numpy, { ...truth, bias: null })],
  ['activation-zero-point-missing', outputsOf({ ...numpy, accumulate: withoutInputZeroPoint(numpy.accumulate) })],
  ['activation-range', outputsOf(dynamicWith('numpy', (step) => withRange(step, { grain: 'row' })))],
])('%s', async (cause, candidate) => {
  const { layers, ...model } = modelOf(truth, { framework: 'pytorch', flow: 'dynamic', engine: 'x86' });
  const form = { ...layers[0].form, dynamic: { reduceRange: true } } as ProductForm;
  const layer: Layer = { ...layers[0], op: 'linear_dynamic', inputs: ['x'], form };
  const inputs = [{ name: 'x', params: { dtype: 'float32' as const } }];
  const values = {
    x: capturedValue(x, SAMPLES),
    fc: capturedValue(outputsOf(dynamicSteps('fbgemm')!), SAMPLES),
  };
  const capture = { ...captureOf(values, SAMPLES), batchSizes: [SAMPLES] };
  const { layers: own, candidate_layers } = await compare({ ...model, inputs, layers: [layer] }, capture, {
    candidate: captureOf({ fc: capturedValue(candidate, SAMPLES) }, SAMPLES),
  });
  expect(own[0].mismatched).toBe(0);
  expect([...candidate_layers![0].diagnosis!.causes].sort()).toEqual([cause, 'multiplier-precision']);
});
