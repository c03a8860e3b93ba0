import { describe, expect, test } from 'vitest';
import { scriptedQuantize } from '../../src/diagnose/alternatives/conversions.js';
import { dynamicOneDnnBrgemm, dynamicOneDnnGemm, dynamicStep, withRange } from '../../src/kernels/steps/dynamic.js';
import { withoutInputZeroPoint } from '../../src/kernels/steps/lossyAccumulate.js';
import { downward, towardZero } from '../../src/kernels/steps/round.js';
import type { Product } from '../../src/nouns/kernel.js';
import { dynamicSteps } from '../support/steps.js';
import * as world from './dynamicWorld.js';
import { dynamicWith, IN, NEARLY, OUT, outputsOf, RAISED, truth } from './dynamicWorld.js';

async function diagnose(declared: Product, captured: Float32Array, engine: string, reduceRange = false) {
  return (await world.diagnose(declared, captured, { engine, reduceRange }))!;
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
    ['bias-value', { bias: truth.bias!.map((b, n) => b * (1 + n / 50)) }],
    ['weight-value', { weight: truth.weight.map((w, i) => (i < IN ? -w : w)) }],
    ['weight-value', { weight: truth.weight.map((w, i) => ((w * 7 + i * 31) % 255) - 127) }],
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

// ---------------------------------------------------------------- the range

const RANGED = { fbgemm: 'x86', qnnpack: 'qnnpack', onednn: 'onednn' } as const;

// of each engine's capture, declared as each engine, with and without reduce_range: never a name that is not so
describe.each(Object.entries(RANGED))('%s', (kernel) => {
  test.each(
    Object.entries(RANGED).flatMap(([declared, engine]) =>
      [true, false].flatMap((ran) => [true, false].map((says) => [declared, ran, says, engine] as const)),
    ),
  )('declared as %s, reduce_range %j where the file says %j', async (declared, ran, says, engine) => {
    const captured = outputsOf(dynamicSteps(kernel)!, truth, ran);
    const diagnosis = await world.diagnose(truth, captured, { engine, reduceRange: says });
    const [own, other] = [ran && kernel !== 'qnnpack', says && declared !== 'qnnpack'];
    const expected = [
      ...(own === other ? [] : ['activation-range']),
      ...(kernel === declared ? [] : ['multiplier-precision']),
    ];
    expect(diagnosis?.causes ?? []).toEqual(expected);
    expect(JSON.stringify(diagnosis)).not.toContain('reduce_range will not');
    if (expected.length > 0) expect(diagnosis!.explained_by).toContain(kernel);
    // QNNPACK's range is no matter of the file; of another engine's kernel it is
    const file = kernel !== 'qnnpack' && ran !== says ? `"reduce_range": ${ran}` : null;
    if (expected.length > 0 && file) expect(diagnosis!.fix).toContain(file);
    else expect(diagnosis?.fix ?? '').not.toContain('reduce_range');
  });
});

test('the range of one call is shown as it was found', async () => {
  const { evidence, fix } = await diagnose(truth, outputsOf(dynamicSteps('qnnpack')!), 'x86', true);
  const { declared, found, declared_params, found_params } = evidence['activation-range'] as Record<string, unknown>;
  expect([declared, found]).toEqual([
    { codes: [0, 127], grain: 'batch' },
    { codes: [0, 255], grain: 'batch' },
  ]);
  const ratio = (declared_params as { scale: number }).scale / (found_params as { scale: number }).scale;
  expect(ratio).toBeCloseTo(255 / 127, 6);
  expect(fix).toBe(
    'PyTorch computes as qnnpack does, not fbgemm: write "kernel": "qnnpack" into the producer of model.json, or pass --kernel qnnpack',
  );
});

test('the same engine without reduce_range: the file is to be corrected, not the kernel', async () => {
  const { causes, fix } = await diagnose(truth, outputsOf(dynamicSteps('fbgemm')!, truth, false), 'x86', true);
  expect(causes).toEqual(['activation-range']);
  expect(fix).toBe('write "reduce_range": false for fc in model.json: the capture was computed with it');
});

test('each row a call of its own', async () => {
  const captured = outputsOf(dynamicWith('fbgemm', (step) => withRange(step, { grain: 'row' })));
  const { causes, fix } = await diagnose(truth, captured, 'x86');
  expect(causes).toEqual(['activation-range']);
  expect(fix).toContain('"batch_sizes"');
});

test('a saturating kernel over eight bits', async () => {
  const captured = outputsOf(dynamicSteps('fbgemm-avx2')!, truth, false);
  expect((await diagnose(truth, captured, 'x86', true)).causes).toEqual(['int16-saturation', 'activation-range']);
});

test('another saturating engine over eight bits', async () => {
  const captured = outputsOf(dynamicSteps('onednn-avx2')!, truth, false);
  const { causes, kernel } = await diagnose(truth, captured, 'x86', true);
  expect(causes).toEqual(['int16-saturation', 'activation-range', 'multiplier-precision']);
  expect(kernel).toBe('onednn-avx2');
});

// ---------------------------------------------------------------- a script

test.each(RAISED)('%s', async (_, steps) => {
  const captured = outputsOf(dynamicSteps('fbgemm')!, truth, true);
  const as = { engine: 'x86', reduceRange: true, candidate: outputsOf(steps) };
  const diagnosis = (await world.diagnose(truth, captured, as))!;
  expect(diagnosis.causes).toEqual(['activation-range', 'multiplier-precision']);
  expect(diagnosis.fix).toContain('spread');
});

test('a mixture of two scripts', async () => {
  const [float64, float32] = ['numpy', 'numpy-float32'].map((name) => dynamicSteps(name)!.dynamic!);
  const mixed = dynamicWith('numpy', (step) => withRange({ ...step, multiplier: float32.multiplier }, {}));
  expect(mixed.dynamic!.choose).toBe(float64.choose);
  const captured = outputsOf(dynamicSteps('fbgemm')!);
  const diagnosis = await world.diagnose(truth, captured, { engine: 'x86', candidate: outputsOf(mixed) });
  expect(diagnosis!.causes).toEqual(['multiplier-precision']);
});

test('codes multiplied without the zero point of their call', async () => {
  const steps = dynamicSteps('fbgemm')!;
  const candidate = outputsOf({ ...steps, accumulate: withoutInputZeroPoint(steps.accumulate) });
  const diagnosis = await world.diagnose(truth, outputsOf(steps), { engine: 'x86', candidate });
  expect(diagnosis!.causes).toEqual(['activation-zero-point-missing']);
  expect(diagnosis!.evidence['activation-zero-point-missing']).not.toHaveProperty('zero_point'); // each call has its own
});

test('biases twice, in a script of other floats', async () => {
  const bias = truth.bias!.map((b) => 2 * b);
  const candidate = outputsOf(dynamicSteps('numpy-float32')!, { ...truth, bias });
  const diagnosis = await world.diagnose(truth, outputsOf(dynamicSteps('fbgemm')!), { engine: 'x86', candidate });
  expect([...diagnosis!.causes].sort()).toEqual(['bias-factor', 'multiplier-precision']);
});

test('biases of a stale file, less than one real unit off', async () => {
  const steps = dynamicSteps('fbgemm')!;
  const bias = truth.bias!.map((b, n) => Math.fround(b + 0.1 * Math.sin(7 * n)));
  const diagnosis = await world.diagnose(truth, outputsOf(steps), {
    engine: 'x86',
    candidate: outputsOf(steps, { ...truth, bias }),
  });
  expect(diagnosis!.causes).toEqual(['bias-value']);
});

test.each([
  ['rounding-truncate', towardZero, false],
  ['rounding-floor', downward, true],
] as const)('%s where a script makes codes of its input', async (cause, round, zeroPointFirst) => {
  const quantize = scriptedQuantize({ round, zeroPointFirst, float64: false, by: 'division' });
  const candidate = outputsOf(dynamicWith('fbgemm', (step) => dynamicStep({ ...step, quantize })));
  const captured = outputsOf(dynamicSteps('fbgemm')!);
  const diagnosis = await world.diagnose(truth, captured, { engine: 'x86', candidate });
  expect(diagnosis!.causes).toEqual([cause]);
});

test('scales of weights as a print shows them', async () => {
  const weightScale = truth.weightScale.map((scale) => Number(scale.toFixed(4)));
  const steps = dynamicSteps('fbgemm')!;
  const candidate = outputsOf(steps, { ...truth, weightScale });
  const diagnosis = await world.diagnose(truth, outputsOf(steps), { engine: 'x86', candidate });
  expect(diagnosis!.causes).toEqual(['scale-rounded']);
});

// ---------------------------------------------------------------- near misses

test.each(NEARLY)('%s', async (_, move) => {
  const steps = dynamicWith('fbgemm', (step) => ({
    ...step,
    chooseQuantParams: (min, max, reduce) => step.chooseQuantParams(...move(min, max), reduce),
  }));
  expect((await diagnose(truth, outputsOf(steps), 'x86', true)).causes).toEqual(['unexplained']);
});
