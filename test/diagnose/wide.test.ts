import { expect, test } from 'vitest';
import { replayProduct } from '../../src/replay/product.js';
import { compareLayer, kernel, outputsOf, quant, randomFrom } from './world.js';

/** Too large to be studied as a whole: 512 x 2048 weights, 600 samples. */
function wideWorld() {
  const random = randomFrom(99);
  const [samples, inFeatures, outFeatures] = [600, 2048, 512];
  const code = () => Math.min(255, Math.max(0, Math.round(128 + 40 * random.normal())));
  const linear = {
    perChannel: true,
    weightScale: Float64Array.from({ length: outFeatures }, () => Math.fround(0.001 + 0.002 * random.uniform())),
    weightZeroPoint: Int32Array.of(0),
    bias: Float32Array.from({ length: outFeatures }, () => random.normal()),
    biasInt32: null,
    activation: 'none' as const,
    outFeatures,
    inFeatures,
    weight: Int8Array.from({ length: outFeatures * inFeatures }, () => random.integer(-60, 60)),
    input: quant(Math.fround(0.02), 128),
    output: quant(Math.fround(0.08), 128),
  };
  return { kind: 'wide', linear, x: Uint8Array.from({ length: samples * inFeatures }, code), samples };
}

test('one weight among a million is found where the layer is too large to be in memory as a whole', async () => {
  const world = wideWorld();
  const weight = world.linear.weight.slice();
  weight[300 * 2048 + 1234] = -128;
  const report = await compareLayer(world, { ...world.linear, weight }, outputsOf(world));
  const [{ diagnosis, channels }] = report.layers;
  expect(diagnosis?.causes).toEqual(['weight-value']);
  expect(diagnosis?.evidence['weight-value']).toMatchObject({
    weights: [{ channel: 300, k: 1234, declared: -128, found: world.linear.weight[300 * 2048 + 1234] }],
  });
  expect(channels?.map(({ channel }) => channel)).toEqual([300]);
});

test('one wrong scale among five hundred is that channel’s', async () => {
  const world = wideWorld();
  const weightScale = world.linear.weightScale.map((s, n) => (n === 77 ? s * 1.3 : s));
  const report = await compareLayer(world, { ...world.linear, weightScale }, outputsOf(world));
  expect(report.layers[0].diagnosis?.causes).toEqual(['weight-scale-wrong']);
  expect(report.layers[0].diagnosis?.evidence['weight-scale-wrong']).toMatchObject({ found: [{ channel: 77 }] });
});

test('five hundred float biases are found although only some samples are studied: what refutes one of them is studied too', async () => {
  const world = wideWorld();
  const bias = world.linear.bias.map((b) => b / 50);
  const truth = { ...world.linear, bias, output: { dtype: 'float32' as const } };
  const codes = { rows: world.samples, cols: truth.inFeatures, data: world.x };
  const captured = replayProduct(kernel('fbgemm'), truth, codes).data;
  const report = await compareLayer(world, { ...truth, bias: null }, captured);
  expect(report.layers[0].diagnosis?.causes).toEqual(['bias-missing']);
});
