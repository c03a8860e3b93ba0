/** Codes that become floats: another zero point, a ReLU behind them, half precision. */
import { expect, test } from 'vitest';
import { toBFloat16, toFloat16 } from '../../src/numeric/float.js';
import { type Alone, diagnosisOf } from '../support/alone.js';
import { randomFrom } from './world.js';

const [SAMPLES, WIDTH, SCALE, ZERO] = [6, 8, 0.023, 117];
const random = randomFrom(43);
const x = Uint8Array.from({ length: SAMPLES * WIDTH }, () => random.integer(0, 255));
const alone: Alone = {
  producer: { framework: 'pytorch', engine: 'fbgemm' },
  inputs: { x: { dtype: 'uint8', scale: SCALE, zero_point: ZERO, shape: [WIDTH] } },
  layer: { op: 'dequantize', output: { dtype: 'float32' } },
  values: { x },
  samples: SAMPLES,
};
const scale = Math.fround(SCALE);
const real = (code: number, zeroPoint = ZERO) => Math.fround((code - zeroPoint) * scale);

test.each<[what: string, of: (code: number) => number, cause: string, found: object]>([
  ['a zero point off by one', (code) => real(code, ZERO + 1), 'input-zero-point-wrong', { found: ZERO + 1 }],
  ['a ReLU', (code) => Math.max(real(code), 0), 'capture-after-relu', {}],
  ['float16', (code) => toFloat16(real(code)), 'half-precision', { format: 'float16', of: 'floats' }],
  ['bfloat16', (code) => toBFloat16(real(code)), 'half-precision', { format: 'bfloat16', of: 'floats' }],
  [
    'operands in float16',
    (code) => toFloat16(toFloat16(code - ZERO) * toFloat16(scale)),
    'half-precision',
    { equation: 'h(h(s) * h(x - zp))' },
  ],
])('%s', async (_, of, cause, found) => {
  const { causes, evidence } = (await diagnosisOf(alone, Float32Array.from(x, of)))!;
  expect(causes).toEqual([cause]);
  expect((evidence as Record<string, object>)[cause]).toMatchObject(found);
});

test.each<[what: string, of: (code: number, i: number) => number]>([
  ['noise in half precision', () => toFloat16(random.normal())],
  ['half precision but for one value', (code, i) => (i === 3 ? real(code) : toFloat16(real(code)))],
  ['a ReLU but for one value', (code, i) => (i === 3 ? 0.5 : Math.max(real(code), 0))],
])('%s has no name', async (_, of) => {
  expect((await diagnosisOf(alone, Float32Array.from(x, of)))!.causes).toEqual(['unexplained']);
});
