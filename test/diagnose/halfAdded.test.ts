/** One rounding where the reference has two, and no code below 0: it is no half that was added before a cast. */
import { expect, test } from 'vitest';
import { clamp } from '../../src/numeric/integer.js';
import { type Alone, computed, diagnosisOf } from '../support/alone.js';
import { randomFrom } from './world.js';

const [SAMPLES, INPUTS, OUTPUTS] = [500, 32, 16];
const random = randomFrom(3);
const list = <T>(count: number, make: () => T) => Array.from({ length: count }, make);
const x = Int8Array.from({ length: SAMPLES * INPUTS }, () => random.integer(-128, 127));
const weight = list(OUTPUTS, () => list(INPUTS, () => random.integer(-127, 127)));
const weightScale = list(OUTPUTS, () => Math.fround(0.002 + 0.01 * random.uniform()));
const bias = list(OUTPUTS, () => random.integer(-3000, 3000));
const [SCALE, ZERO_POINT, OWN_SCALE, OWN_ZERO_POINT] = [Math.fround(0.02), 11, Math.fround(0.11), 9];

const own: Alone = {
  producer: { framework: 'litert', kernel: 'tflm' },
  inputs: { x: { dtype: 'int8', scale: SCALE, zero_point: ZERO_POINT, shape: [INPUTS] } },
  layer: {
    op: 'linear',
    weight,
    weight_scale: weightScale,
    bias,
    bias_dtype: 'int32',
    bias_scale: weightScale.map((scale) => scale * SCALE),
    activation: 'relu',
    output: { dtype: 'int8', scale: OWN_SCALE, zero_point: OWN_ZERO_POINT },
  },
  values: { x },
  samples: SAMPLES,
};

test('a float multiplier, ties to even, behind a ReLU', async () => {
  const right = await computed(own);
  const wrong = Int8Array.from(right, (_, i) => {
    const [sample, n] = [Math.floor(i / OUTPUTS), i % OUTPUTS];
    let acc = bias[n];
    for (let k = 0; k < INPUTS; k++) acc += (x[sample * INPUTS + k] - ZERO_POINT) * weight[n][k];
    const steps = (acc * SCALE * weightScale[n]) / OWN_SCALE;
    return clamp(Math.round(steps) + OWN_ZERO_POINT, OWN_ZERO_POINT, 127);
  });
  const differing = wrong.filter((code, i) => code !== right[i]).length;
  expect(differing).toBeGreaterThan(0);
  expect(differing).toBeLessThan(16);
  const diagnosis = await diagnosisOf(own, wrong);
  expect(diagnosis!.causes).toEqual(['fixed-point-multiplier']);
  expect(diagnosis!.indistinguishable.flat()).not.toContain('rounding-truncate');
});
