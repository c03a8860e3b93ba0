import fc from 'fast-check';
import { expect, it, test } from 'vitest';
import { kernels } from '../../../src/kernels/registry.js';
import { dynamicDecomposed, withRange } from '../../../src/kernels/steps/dynamic.js';
import type { DynamicStep, Product } from '../../../src/nouns/kernel.js';
import type { ProductLayer } from '../../../src/nouns/model.js';
import { f32 } from '../../../src/numeric/float.js';
import { type ReadyLayer, replayLayer } from '../../../src/replay/layer.js';
import { replayProduct } from '../../../src/replay/product.js';
import { dynamicSteps } from '../../support/steps.js';
import { linearOf } from '../layers.js';

/** A dynamic layer with these numbers. */
function dynamicLayer({ weight, outFeatures, inFeatures, ...params }: Product): ReadyLayer<ProductLayer> {
  const codes = Int8Array.from(weight);
  const source = { outFeatures, inFeatures, read: async () => codes };
  const form = { kind: 'product' as const, ...params, weight: source, dynamic: { reduceRange: true } };
  const layer = { name: 'fc', op: 'linear_dynamic', inputs: ['x'], output: { dtype: 'float32' as const }, form };
  const shape = (features: number) => ({ dims: [features], channelAxis: 0 });
  const shapes = { inputs: [shape(inFeatures)], output: shape(outFeatures) };
  return { layer, input: { dtype: 'float32' }, inputs: [{ dtype: 'float32' }], shapes, weight: codes };
}

const dynamic = kernels.filter((kernel) => dynamicSteps(kernel));

it('belongs to the engines that have it', () => {
  expect(dynamic.map((kernel) => kernel.name)).toEqual([
    'fbgemm',
    'fbgemm-vnni',
    'fbgemm-avx2',
    'onednn',
    'onednn-amx',
    'onednn-avx512',
    'onednn-avx2',
    'onednn-sse41',
    'onednn-pointwise',
    'onednn-pointwise-amx',
    'onednn-pointwise-avx2',
    'qnnpack',
    'pt2e-reference',
    'torchao',
    'torchao-avx2',
    'ort',
    'ort-avx2',
    'ort-arm',
    'onnx-spec',
    'numpy',
    'numpy-float32',
  ]);
});

test.each(dynamic)('$name chooses parameters that hold the range and represent 0', (kernel) => {
  const step = dynamicSteps(kernel)!.dynamic;
  const real = fc.oneof(
    fc.float({ noNaN: true, min: -1000, max: 1000 }).map((x) => (Math.abs(x) < 1e-30 ? 0 : x)), // ONNX: subnormal / 255 is 0
    fc.constantFrom(0, f32(1e-30), f32(-1e-20), 1e30),
  );
  fc.assert(
    fc.property(real, real, fc.boolean(), (a, b, reduceRange) => {
      const [min, max] = [Math.min(a, b), Math.max(a, b)];
      const { scale, zeroPoint, quantMin, quantMax, dtype } = step!.chooseQuantParams(min, max, reduceRange);
      expect(dtype).toBe('uint8');
      // reduce_range of torchao and of PT2E narrows the codes themselves
      const ofGraph = kernel.flow?.startsWith('pt2e');
      const narrow = ofGraph ? [0, 127] : kernel.family === 'torchao' ? [64, 191] : null;
      expect([[0, 255], narrow]).toContainEqual([quantMin, quantMax]);
      expect(scale).toBeGreaterThan(0);
      expect(Number.isInteger(zeroPoint) && zeroPoint >= quantMin && zeroPoint <= quantMax).toBe(true);
      // the ends may fall half a step outside
      expect(scale * (quantMax + 0.6 - zeroPoint)).toBeGreaterThanOrEqual(max);
      expect(scale * (quantMin - 0.6 - zeroPoint)).toBeLessThanOrEqual(min);
    }),
    { seed: 33 },
  );
});

const choose = (name: string, ...args: Parameters<DynamicStep['chooseQuantParams']>) => {
  const { scale, zeroPoint } = dynamicSteps(name)!.dynamic!.chooseQuantParams(...args);
  return [scale, zeroPoint];
};

test.each([
  ['fbgemm', [-1, 1.54], false, [f32(1.54) / 255 + 1 / 255, 100]],
  ['fbgemm', [-1, 1.54], true, [f32(1.54) / 127 + 1 / 127, 50]], // reduce_range: 0..127
  ['qnnpack', [-1, 1.54], true, [f32(1.54) / 255 + 1 / 255, 100]], // ignores it
  ['fbgemm', [0.5, 2.55], false, [f32(2.55) / 255, 0]], // the range always holds 0
  ['fbgemm', [0, 0], false, [0.1, 0]],
  ['ort', [0, 0], false, [1, 0]],
  ['fbgemm', [0, 1e-6], false, [f32(6.1e-5), 0]], // PyTorch's smallest scale
  ['fbgemm', [-1e-6, 0], false, [f32(6.1e-5), 255]],
  ['ort', [0, 1e-6], false, [f32(f32(1e-6) / 255), 0]],
] as const)('%s of %o, reduce_range %s', (name, [min, max], reduceRange, [scale, zeroPoint]) => {
  const chosen = choose(name, f32(min), f32(max), reduceRange);
  expect(chosen[0]).toBeCloseTo(scale, 12);
  expect(chosen[1]).toBe(zeroPoint);
});

it('adds the bias in one FMA (FBGEMM, ONNX Runtime on ARM) or after the product', () => {
  const linear = linearOf({ weight: [[1]], weightScale: [0.0123], bias: [0.4567], output: { dtype: 'float32' } });
  const input = { ...linear.input, scale: 0.0345 };
  const sums = (name: string) => {
    const toReal = dynamicSteps(name)!.dynamic!.toReal({ ...linear, input });
    return Array.from({ length: 500 }, (_, acc) => toReal(acc - 250, 0)).join();
  };
  expect(sums('fbgemm')).toBe(sums('ort-arm'));
  expect(sums('qnnpack')).toBe(sums('ort'));
  expect(sums('fbgemm')).not.toBe(sums('ort'));
});

test.each(dynamic)('$name computes the real product to within its quantization', (kernel) => {
  const weight = [
    [60, -30, 7],
    [1, 2, 3],
  ];
  const linear = linearOf({ weight, weightScale: [0.01, 0.02], bias: [0.5, -0.25], output: { dtype: 'float32' } });
  const reals = [0.3, -1.2, 2.1];
  const input = dynamicSteps(kernel)!.dynamic!.chooseQuantParams(f32(-1.2), f32(2.1), true);
  const quantize = dynamicSteps(kernel)!.dynamic!.quantize.prepare(input);
  const x = { rows: 1, cols: 3, data: Int32Array.from(reals, (v) => quantize(f32(v))) };
  const { data } = replayProduct(dynamicSteps(kernel)!, { ...linear, input }, x);
  weight.forEach((row, n) => {
    const scale = linear.weightScale[n];
    const exact = row.reduce((sum, w, k) => sum + w * scale * reals[k], linear.bias![n]);
    const error = row.reduce((sum, w) => sum + Math.abs(w) * scale * input.scale, 0);
    expect(Math.abs(data[n] - exact)).toBeLessThanOrEqual(error);
    expect(f32(data[n])).toBe(data[n]);
  });
});

// one row alone is a batch of one: what a row's own grain gives
test.each(dynamic)('$name per row equals calls of one row each', (kernel) => {
  const steps = dynamicSteps(kernel)!;
  const linear = linearOf({
    weight: [
      [1, -2],
      [3, 127],
    ],
    weightScale: [0.01, 0.02],
    bias: [0.5, -0.25],
    output: { dtype: 'float32' },
  });
  const layer = dynamicLayer(linear);
  const kernelOf = (step: DynamicStep) => ({ ...kernel, ops: { linear_dynamic: { ...steps, dynamic: step } } });
  const x = Float32Array.of(0.1, -3, 2, 2.5, 0, 0, -1e-3, 40);
  const row = (i: number) => ({ rows: 1, cols: 2, data: x.subarray(2 * i, 2 * i + 2) });
  const byBatch = kernelOf(withRange(steps.dynamic!, { grain: 'batch' }));
  const perRowData = replayLayer(kernelOf(withRange(steps.dynamic!, { grain: 'row' })), layer, [
    { rows: 4, cols: 2, data: x },
  ]).data;
  const alone = [0, 1, 2, 3].map((i) => {
    const input = steps.dynamic!.chooseQuantParams(Math.min(...row(i).data), Math.max(...row(i).data), true);
    return [...replayLayer(byBatch, layer, [row(i)], null, { input }).data];
  });
  expect([...perRowData]).toEqual(alone.flat());
  const whole = steps.dynamic!.chooseQuantParams(-3, 40, true);
  expect([...replayLayer(byBatch, layer, [{ rows: 4, cols: 2, data: x }], null, { input: whole }).data]).not.toEqual(
    alone.flat(),
  );
});

test.each([true, false])('a range may be other than the layer says: reduce_range %j', (reduceRange) => {
  const step = dynamicSteps('fbgemm')!.dynamic!;
  const changed = withRange(step, { codes: reduceRange ? '7 bits' : '8 bits' });
  expect(changed.chooseQuantParams(-1, 1.54, !reduceRange)).toEqual(step.chooseQuantParams(-1, 1.54, reduceRange));
  expect(changed.chooseQuantParams(-1, 1.54, !reduceRange)).not.toEqual(step.chooseQuantParams(-1, 1.54, !reduceRange));
});

// quantized_decomposed.choose_qparams.tensor of torch 2.13.0: the range, the last level, scale and zero point; many next to a tie
test.each<[min: number, max: number, levels: number, scale: number, zeroPoint: number]>([
  [-0.0009074697154574096, -0.0005902958801016212, 255, 2 ** -12, 4],
  [-0.0009074697154574096, -0.0005902958801016212, 127, 2 ** -12, 4],
  [-0.0009201034554280341, 0.16439151763916016, 255, 0.0006482808385044336, 1],
  [-0.0009201034554280341, 0.16439151763916016, 127, 0.0013016662560403347, 1],
  [-0.0009074697154574096, -0.0005902958801016212, 255, 2 ** -12, 4],
  [-0.0009074697154574096, -0.0005902958801016212, 127, 2 ** -12, 4],
  [-0.46510082483291626, 0.7150057554244995, 255, 0.004627868998795748, 100],
  [-0.46510082483291626, 0.7150057554244995, 127, 0.009292177855968475, 50],
  [-3.4301748275756836, 5.273253440856934, 255, 0.034131091088056564, 101],
  [-3.4301748275756836, 5.273253440856934, 127, 0.06853093206882477, 50],
  [-2.8522419929504395, 4.384789943695068, 255, 0.028380516916513443, 100],
  [-2.8522419929504395, 4.384789943695068, 127, 0.05698450282216072, 50],
  [-0.05893785506486893, 0.0906059518456459, 255, 0.000586446316447109, 100],
  [-0.05893785506486893, 0.0906059518456459, 127, 0.0011775102466344833, 50],
  [-0.00023822058574296534, 0.0003662196977529675, 255, 2 ** -12, 1],
  [-0.00023822058574296534, 0.0003662196977529675, 127, 2 ** -12, 1],
  [-0.0006251083104871213, 0.0009609872940927744, 255, 2 ** -12, 3],
  [-0.0006251083104871213, 0.0009609872940927744, 127, 2 ** -12, 3],
  [-0.00023822058574296534, 0.0003662196977529675, 255, 2 ** -12, 1],
  [-0.00023822058574296534, 0.0003662196977529675, 127, 2 ** -12, 1],
  [-0.0006251083104871213, 0.0009609872940927744, 255, 2 ** -12, 3],
  [-0.0006251083104871213, 0.0009609872940927744, 127, 2 ** -12, 3],
])('choose_qparams of PT2E: %d to %d over %i levels', (min, max, levels, scale, zeroPoint) => {
  const chosen = dynamicDecomposed.chooseQuantParams(min, max, levels === 127);
  expect(chosen).toMatchObject({ scale, zeroPoint, quantMin: 0, quantMax: levels });
});
