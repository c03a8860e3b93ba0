/** TFLite's 16x8: int16 codes, int8 weights, biases of int64, a multiplier of its upper 16 bits. */
import { expect, test } from 'vitest';
import { type Alone, computed, diagnosisOf } from '../support/alone.js';
import { randomFrom } from './world.js';

const [SAMPLES, INPUTS, OUTPUTS] = [60, 24, 9];
const random = randomFrom(16);
const list = <T>(length: number, of: (i: number) => T) => Array.from({ length }, (_, i) => of(i));
const bias = list(OUTPUTS, () => random.integer(-(2 ** 22), 2 ** 22));
const weightScale = list(OUTPUTS, () => Math.fround(0.004 + 0.004 * random.uniform()));

const ALONE: Alone = {
  producer: { framework: 'litert', kernel: 'tflm' },
  inputs: { x: { dtype: 'int16', scale: 2 ** -13, zero_point: 0, shape: [INPUTS] } },
  layer: {
    op: 'linear',
    weight: list(OUTPUTS, () => list(INPUTS, () => random.integer(-127, 127))),
    weight_scale: weightScale,
    bias,
    bias_dtype: 'int64',
    bias_scale: weightScale.map((scale) => scale * 2 ** -13),
    output: { dtype: 'int16', scale: 0.0003, zero_point: 0 },
  },
  values: { x: Int16Array.from({ length: SAMPLES * INPUTS }, () => random.integer(-12000, 12000)) },
  samples: SAMPLES,
};

test.each([
  ['without its biases', 'bias-missing', { bias: bias.map(() => 0) }, {}],
  ['with each twice', 'bias-factor', { bias: bias.map((b) => 2 * b) }, { factor: 2 }],
  ['with those of the next channel', 'bias-shifted', { bias: [...bias.slice(1), bias[0]] }, {}],
  [
    'that reads them as int32 in memory',
    'bias-int32',
    { bias: bias.map((_, n) => (n % 2 === 0 ? bias[n / 2] : Math.floor(bias[(n - 1) / 2] / 2 ** 32))) },
    { int64_as: 'memory' },
  ],
  [
    'with the multipliers of the next channel',
    'scale-shifted',
    { weight_scale: [...weightScale.slice(1), weightScale[0]] },
    {},
  ],
  ['shifted a bit too few', 'output-scale-wrong', { output: { dtype: 'int16', scale: 0.00015, zero_point: 0 } }, {}],
  ['of one channel too large', 'weight-value', null, {}],
])('a candidate %s: %s', async (_, code, fields, found) => {
  const weight = (ALONE.layer.weight as number[][]).map((row, n) => (n === 4 ? [...row.slice(0, -1), 99] : row));
  const diagnosis = await diagnosisOf(ALONE, await computed(ALONE, fields ?? { weight }));
  expect(diagnosis).toMatchObject({ causes: [code], lost: 0, evidence: { [code]: found } });
});

/** As TFLM: acc * (m >> 16) / 2^(15 - e), exact in float64. */
function rounded(round: (steps: number) => number): Int16Array {
  const { weight } = ALONE.layer as unknown as { weight: number[][] };
  const { x } = ALONE.values;
  return Int16Array.from({ length: SAMPLES * OUTPUTS }, (_, i) => {
    const [row, n] = [Math.floor(i / OUTPUTS) * INPUTS, i % OUTPUTS];
    const sum = weight[n].reduce((acc, w, k) => acc + w * x[row + k], bias[n]);
    const real = (2 ** -13 * weightScale[n]) / Math.fround(0.0003);
    const exponent = Math.floor(Math.log2(real)) + 1;
    const upper = Math.round((real * 2 ** (31 - exponent)) / 2 ** 16);
    return Math.max(-32768, Math.min(32767, round(sum * upper * 2 ** (exponent - 15))));
  });
}

test('a candidate that rounds down after the same multiplier', async () => {
  expect(
    await diagnosisOf(
      ALONE,
      rounded((v) => Math.floor(v + 0.5)),
    ),
  ).toBeNull();
  expect(await diagnosisOf(ALONE, rounded(Math.floor))).toMatchObject({ causes: ['rounding-floor'], lost: 0 });
});

test('biases beyond int32: without their upper halves, or without any', async () => {
  const wide = bias.map((b, n) => (n === 3 ? b + 2 ** 33 : b));
  const own = {
    ...ALONE,
    layer: { ...ALONE.layer, bias: wide, output: { dtype: 'int16', scale: 0.3, zero_point: 0 } },
  };
  const cut = await diagnosisOf(own, await computed(own, { bias }));
  expect(cut).toMatchObject({ causes: ['bias-int32'], evidence: { 'bias-int32': { int64_as: 'low halves' } } });
  const none = await diagnosisOf(own, await computed(own, { bias: bias.map(() => 0) }));
  expect(none).toMatchObject({ causes: ['bias-missing'], lost: 0 });
});
