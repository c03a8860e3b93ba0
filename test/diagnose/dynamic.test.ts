import { describe, expect, test } from 'vitest';
import { compare } from '../../src/compare/compare.js';
import { dynamicOneDnnBrgemm, dynamicOneDnnGemm } from '../../src/kernels/steps/dynamic.js';
import type { Product, ProductSteps } from '../../src/nouns/kernel.js';
import type { Layer, ProductForm } from '../../src/nouns/model.js';
import { replayProduct } from '../../src/replay/product.js';
import { dynamicSteps } from '../support/steps.js';
import { capturedValue, captureOf, modelOf, quant, randomFrom } from './world.js';

const SAMPLES = 60;
const BATCH = 12;
const IN = 16;
const OUT = 16;

const random = randomFrom(404);
const float = () => Math.fround(random.normal());
const x = Float32Array.from({ length: SAMPLES * IN }, () => float() + 0.3);
const truth: Product = {
  perChannel: true,
  weightScale: Float64Array.from({ length: OUT }, () => Math.fround(0.002 + 0.004 * random.uniform())),
  weightZeroPoint: Int32Array.of(0),
  bias: Float32Array.from({ length: OUT }, float),
  biasInt32: null,
  activation: 'none',
  outFeatures: OUT,
  inFeatures: IN,
  weight: Int8Array.from({ length: OUT * IN }, () => random.integer(-127, 127)),
  input: quant(1, 0),
  output: { dtype: 'float32' },
};

/** What a kernel makes of the layer: each batch has its own scale. */
function outputsOf(by: ProductSteps, linear: Product = truth): Float32Array {
  const values = new Float32Array(SAMPLES * OUT);
  for (let row = 0; row < SAMPLES; row += BATCH) {
    const batch = x.subarray(row * IN, (row + BATCH) * IN);
    const input = by.dynamic!.chooseQuantParams(Math.min(...batch), Math.max(...batch), false);
    const codes = { rows: BATCH, cols: IN, data: Uint8Array.from(batch, by.dynamic!.quantize.prepare(input)) };
    values.set(replayProduct(by, { ...linear, input }, codes).data, row * OUT);
  }
  return values;
}

async function diagnose(declared: Product, captured: Float32Array, engine: string) {
  const { layers, ...model } = modelOf(declared, { framework: 'pytorch', flow: 'dynamic', engine });
  const form = { ...layers[0].form, dynamic: { reduceRange: false } } as ProductForm;
  const layer: Layer = { ...layers[0], op: 'linear_dynamic', inputs: ['x'], form };
  const inputs = [{ name: 'x', params: { dtype: 'float32' as const } }];
  const values = { x: capturedValue(x, SAMPLES), fc: capturedValue(captured, SAMPLES) };
  const batchSizes = new Array<number>(SAMPLES / BATCH).fill(BATCH);
  const report = await compare({ ...model, inputs, layers: [layer] }, { ...captureOf(values, SAMPLES), batchSizes });
  return report.layers[0].diagnosis!;
}

const weightsWith = (...changes: [n: number, k: number, value: number][]) => {
  const weight = truth.weight.slice();
  for (const [n, k, value] of changes) weight[n * IN + k] = value;
  return { weight };
};

describe.each([
  ['x86', 'fbgemm'],
  ['qnnpack', 'qnnpack'],
  ['onednn', 'onednn'],
])('a file for %s with a mistake', (engine, name) => {
  const captured = outputsOf(dynamicSteps(name)!);
  test.each<[cause: string, wrong: Partial<Product>]>([
    ['bias-missing', { bias: null }],
    ['bias-missing', { bias: truth.bias!.map((b, n) => (n === 3 ? 0 : b)) }],
    ['bias-shifted', { bias: truth.bias!.map((_, n) => truth.bias![(n + 1) % OUT]) }],
    ['scale-per-tensor', { weightScale: Float64Array.of(truth.weightScale[2]), perChannel: false }],
    ['scale-shifted', { weightScale: truth.weightScale.toReversed() }],
    ['weight-scale-wrong', { weightScale: truth.weightScale.map((s, n) => (n === 5 ? s * 1.3 : s)) }],
    ['weight-transposed', { weight: truth.weight.map((_, i) => truth.weight[(i % IN) * IN + Math.floor(i / IN)]) }],
    ['weight-value', weightsWith([4, 7, -128])],
    ['weight-value', weightsWith([4, 7, -128], [4, 9, 1], [11, 0, -128], [11, 2, 3])],
    ['unexplained', { bias: truth.bias!.map((b, n) => b * (1 + n / 50)) }],
    ['unexplained', { weight: truth.weight.map((w, i) => (i < IN ? -w : w)) }],
  ])('%s', async (cause, wrong) => {
    const diagnosis = await diagnose({ ...truth, ...wrong }, captured, engine);
    expect(diagnosis.causes).toEqual([cause]);
  });

  test('weights are found as they were', async () => {
    const found = await diagnose({ ...truth, ...weightsWith([4, 7, -128], [4, 9, 1]) }, captured, engine);
    const own = (k: number) => ({ channel: 4, k, found: truth.weight[4 * IN + k] });
    const { weights } = found.evidence['weight-value'] as { weights: { k: number }[] };
    expect(weights.sort((a, b) => a.k - b.k)).toMatchObject([own(7), own(9)]);
  });

  test('one value off by one ulp stays without a name', async () => {
    const noisy = captured.slice();
    noisy[77] *= 1 + 2 ** -22;
    expect((await diagnose(truth, noisy, engine)).causes).toEqual(['unexplained']);
    expect((await diagnose({ ...truth, bias: null }, noisy, engine)).causes).toEqual(['unexplained']);
  });
});

test('a saturating pair is shown in the codes that the engine made of its input', async () => {
  const { evidence } = await diagnose(truth, outputsOf(dynamicSteps('fbgemm-avx2')!), 'x86');
  const { pair } = evidence['int16-saturation'] as { pair: Record<'x' | 'w' | 'k', number[]> & { sum: number } };
  expect(pair.x[0] * pair.w[0] + pair.x[1] * pair.w[1]).toBe(pair.sum);
  expect(Math.abs(pair.sum)).toBeGreaterThan(32767);
});

test('the order of the float product is shown as an equation', async () => {
  const { evidence } = await diagnose(
    truth,
    outputsOf({ ...dynamicSteps('onednn')!, dynamic: dynamicOneDnnGemm }),
    'onednn',
  );
  expect(evidence['multiplier-precision']).toMatchObject({
    declared: dynamicOneDnnBrgemm.equation,
    found: dynamicOneDnnGemm.equation,
  });
});

test('oneDNN on AVX2 differs in two steps, and a mistake of the file comes on top', async () => {
  const diagnosis = await diagnose({ ...truth, bias: null }, outputsOf(dynamicSteps('onednn-avx2')!), 'onednn');
  expect([...diagnosis.causes].sort()).toEqual(['bias-missing', 'int16-saturation', 'multiplier-precision']);
  expect(diagnosis.explained_by).toContain('onednn-avx2');
});
