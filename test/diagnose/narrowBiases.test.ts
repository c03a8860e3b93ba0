import { describe, expect, test } from 'vitest';
import { shortMultiplier } from '../../src/diagnose/alternatives/short/shortMultiplier.js';
import { float64Bias, int32BiasFloat64 } from '../../src/kernels/steps/bias.js';
import { downward } from '../../src/kernels/steps/round.js';
import type { ProductSteps } from '../../src/nouns/kernel.js';
import type { QuantParams } from '../../src/nouns/value.js';
import { roundHalfEven } from '../../src/numeric/round.js';
import { diagnosisOf } from '../support/alone.js';
import { codesOf, linear as summed, sumOf } from './ownSums.js';
import { compareLayer, fbgemmWith, kernel, outputsOf, randomFrom, worldOf } from './world.js';

const world = worldOf('small', randomFrom(31));
const { linear } = world;
const step = (linear.output as QuantParams).scale;
const units = Array.from(linear.weightScale, (s) => linear.input.scale * s);
/** Some of them leave 16 bits. */
const bias = linear.bias!.map((b, n) => (n % 3 === 0 ? b : Math.sign(b) * (40000 + 100 * n) * units[n]));
const declared = { ...linear, bias };
const integers = Int32Array.from(bias, (b, n) => roundHalfEven(b / units[n]));

async function diagnosed(made: (bias: number, channel: number) => number) {
  const right = outputsOf(world, kernel('fbgemm'), declared);
  const own = { ...declared, bias: null, biasInt32: integers.map(made) };
  const candidate = outputsOf(world, kernel('fbgemm'), own);
  const report = await compareLayer({ ...world, linear: declared }, declared, right, { candidate });
  return report.candidate_layers![0].diagnosis!;
}

const clamped = (b: number) => Math.min(32767, Math.max(-32768, b));

const OF_ITS_RANGE = { own_scale: { unit: '(max - min) / 255', brought: true } };
const range = { min: Math.min(0, ...bias), max: Math.max(0, ...bias) };

/** What a quantizer makes of a tensor, biases too (qualcomm/aimet#600). */
function inUint8(b: number, n: number): number {
  const own = (range.max - range.min) / 255;
  const zeroPoint = roundHalfEven(-range.min / own);
  const code = Math.min(255, Math.max(0, roundHalfEven((b * units[n]) / own) + zeroPoint));
  return roundHalfEven(((code - zeroPoint) * own) / units[n]);
}

test.each([
  ['s_x', linear.input.scale],
  ['s_y', step],
])('floats divided by %s alone', async (by, scale) => {
  const bias = linear.bias!.map((b, n) => (b / scale) * units[n]);
  const wrong = outputsOf(world, kernel('fbgemm'), { ...linear, bias });
  const report = await compareLayer(world, linear, outputsOf(world), { candidate: wrong });
  const { causes, explained, of, evidence } = report.candidate_layers![0].diagnosis!;
  expect({ causes, explained }).toEqual({ causes: ['bias-unscaled'], explained: of });
  expect(evidence['bias-unscaled']).toMatchObject({ by });
});

test('floats divided by s_y alone, of weights with one scale: times what the sums are multiplied with', async () => {
  const own = worldOf('per tensor', randomFrom(33));
  const { output, weightScale, input, bias } = own.linear;
  const factor = (input.scale * weightScale[0]) / (output as QuantParams).scale;
  const wrong = outputsOf(own, kernel('fbgemm'), { ...own.linear, bias: bias!.map((b) => b * factor) });
  const report = await compareLayer(own, own.linear, outputsOf(own), { candidate: wrong });
  const { causes, evidence } = report.candidate_layers![0].diagnosis!;
  expect(causes).toEqual(['bias-factor']);
  expect(evidence['bias-factor']).toMatchObject({ equals: 's_x * s_w / s_y' });
});

test.each([
  ['not divided by the scale of the output', (b: number) => b, { after_scaling: true }],
  ['in whole steps', (b: number) => roundHalfEven(b / step), { after_rounding: true }],
])('integers of the file, added to steps of the output, %s', async (_, inSteps, rule) => {
  const file = {
    ...linear,
    bias: null,
    biasInt32: Int32Array.from(linear.bias!, (b, n) => roundHalfEven(b / units[n])),
  };
  const bias = Float64Array.from(file.biasInt32, (b, n) => inSteps(b * units[n]) * step);
  const wrong = outputsOf(world, fbgemmWith({ bias: float64Bias }), { ...linear, bias: Float32Array.from(bias) });
  const report = await compareLayer({ ...world, linear: file }, file, outputsOf(world, kernel('fbgemm'), file), {
    candidate: wrong,
  });
  const { causes, explained, of, evidence } = report.candidate_layers![0].diagnosis!;
  expect({ causes, explained }).toEqual({ causes: ['bias-unscaled'], explained: of });
  expect(evidence['bias-unscaled']).toMatchObject(rule);
});

test.each([
  ['s_x', linear.input.scale],
  ['s_y', step],
])('integers of the file, taken for reals and divided by %s', async (by, scale) => {
  const { causes, explained, of, evidence } = await diagnosed((b, n) => roundHalfEven((b * units[n]) / scale));
  expect({ causes, explained }).toEqual({ causes: ['bias-unscaled'], explained: of });
  expect(evidence['bias-unscaled']).toMatchObject({ by });
});

describe('biases by a rule', () => {
  test.each([
    ['cut to 16 bits', (b: number) => (b << 16) >> 16, { width: { bits: 16, overflow: 'wrap' } }],
    ['clamped to 16 bits', clamped, { width: { bits: 16, overflow: 'clamp' } }],
    ['cut to 8 bits', (b: number) => (b << 24) >> 24, { width: { bits: 8, overflow: 'wrap' } }],
    ['without their lowest 5 bits', (b: number) => (b >> 5) << 5, { lost_bits: 5 }],
    ['rounded to multiples of 32', (b: number) => Math.round(b / 32) * 32, { lost_bits: 5, to_nearest: true }],
    ['in uint8, with a zero point', (b: number, n: number) => inUint8(b, n), OF_ITS_RANGE],
    ["channel 0's for all", () => integers[0], { all_of: 0 }],
  ])('%s', async (_, made, rule) => {
    const { causes, explained, of, evidence } = await diagnosed(made);
    expect({ causes, explained }).toEqual({ causes: ['bias-value'], explained: of });
    expect(evidence['bias-value']).toMatchObject(rule);
  });

  test.each([
    ['clamped to 30000', (b: number) => Math.min(30000, Math.max(-30000, b))],
    ['clamped to 16 bits, but in one channel', (b: number, n: number) => (n === 1 ? b + 900 : clamped(b))],
  ])('%s is none', async (_, made) => {
    const { evidence } = await diagnosed(made);
    expect(evidence['bias-value'] ?? {}).not.toHaveProperty('width');
  });
});

describe('biases of 16 bits beside what firmware does in every layer', () => {
  const reals = units.map((unit) => unit / step);
  const ofBits = (bits: number) => reals.map((real) => ({ k: Math.max(1, Math.round(real * 2 ** bits)), n: bits }));

  async function beside(made: (bias: number) => number, steps: Partial<ProductSteps>) {
    const right = outputsOf(world, kernel('fbgemm'), declared);
    const own = { ...declared, bias: null, biasInt32: integers.map(made) };
    const candidate = outputsOf(world, fbgemmWith({ bias: int32BiasFloat64, ...steps }), own);
    const report = await compareLayer({ ...world, linear: declared }, declared, right, { candidate });
    return report.candidate_layers![0].diagnosis!;
  }

  const few = ofBits(13);
  const multiplier = shortMultiplier(few, () => few);

  test.each<[string, (bias: number) => number, Partial<ProductSteps>, string, string[]]>([
    ['rounded down', clamped, { round: downward }, 'clamp', ['rounding-floor', 'bias-value']],
    ['rounded down, wrapped', (b) => (b << 16) >> 16, { round: downward }, 'wrap', ['rounding-floor', 'bias-value']],
    ['by a multiplier of few bits', clamped, { multiplier }, 'clamp', ['bias-value', 'multiplier-short']],
    [
      'by a multiplier of few bits, and rounded down',
      (b) => (b << 16) >> 16,
      { multiplier, round: downward },
      'wrap',
      ['rounding-floor', 'bias-value', 'multiplier-short'],
    ],
  ])('%s', async (_, made, steps, overflow, names) => {
    const { causes, explained, of, evidence } = await beside(made, steps);
    expect([[...causes].sort(), explained]).toEqual([[...names].sort(), of]);
    expect(evidence['bias-value']).toMatchObject({ width: { bits: 16, overflow } });
  });

  test.each<[string, (bias: number) => number, object]>([
    ['without their lowest 6 bits', (b) => (b >> 6) << 6, { lost_bits: 6 }],
    ['rounded to multiples of 256', (b) => Math.round(b / 256) * 256, { lost_bits: 8, to_nearest: true }],
  ])('%s, and rounded down: that is no other scale', async (_, made, rule) => {
    const { causes, explained, of, evidence } = await beside(made, { round: downward });
    expect({ causes, explained }).toEqual({ causes: ['rounding-floor', 'bias-value'], explained: of });
    expect(evidence['bias-value']).toMatchObject(rule);
  });

  test('multiples of 24 are no bits less', async () => {
    const { evidence } = await beside((b) => Math.floor(b / 24) * 24, { round: downward });
    expect(evidence['bias-value'] ?? {}).not.toHaveProperty('lost_bits');
  });

  test('of another bound: no list of stale biases hides it', async () => {
    const { evidence } = await beside((b) => Math.min(30000, Math.max(-30000, b)), { multiplier, round: downward });
    expect(evidence['bias-value'] ?? {}).not.toHaveProperty('width');
  });
});

const ROUNDINGS: readonly (readonly [string, (steps: number) => number, string[]])[] = [
  ['to nearest', roundHalfEven, []],
  ['down', Math.floor, ['rounding-floor']],
];

describe.each([
  ['behind each other', (n: number, count: number) => (n + 1) % count],
  ['from last to first', (n: number, count: number) => count - 1 - n],
])('integer biases %s, and the zero point of the output left out, where floats are declared', (_, from) => {
  test.each(ROUNDINGS)('rounded %s: no other biases', async (_, round, more) => {
    const layer = summed(1);
    const { biases, alone } = layer;
    const moved = { ...layer, biases: biases.map((_, n) => biases[from(n, biases.length)]) };
    const { zero_point: zeroPoint } = alone.layer.output as { zero_point: number };
    const codes = codesOf(moved, sumOf, (steps) => round(steps) - zeroPoint);
    const producer = { framework: 'pytorch', engine: 'onednn' };
    const { causes, explained, of, indistinguishable = [] } = (await diagnosisOf({ ...alone, producer }, codes))!;
    const sets = [causes, ...indistinguishable.map((other) => other.causes)].map((set) => [...set].sort().join());
    expect(explained).toBe(of);
    expect(sets).toContain(['bias-shifted', 'output-zero-point-wrong', ...more].sort().join());
    expect(causes).not.toContain('bias-value');
  });
});
