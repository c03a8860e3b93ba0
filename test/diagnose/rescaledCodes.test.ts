/** What a clamp of codes leaves as it is, and a candidate brings to a scale or a zero point of its own. */
import { expect, test } from 'vitest';
import { type Alone, diagnosisOf } from '../support/alone.js';
import { randomFrom } from './world.js';

const X = { dtype: 'uint8', scale: 0.0213717, zero_point: 118 };
const MOST = 118 + Math.round(6 / X.scale);
const random = randomFrom(61);
const x = Uint8Array.from({ length: 400 }, () => random.integer(0, 255));

async function said(op: string, made: (steps: number, i: number) => number) {
  const layer: Alone = {
    producer: { framework: 'pytorch', engine: 'fbgemm' },
    inputs: { x: { ...X, shape: [100] } },
    layer: { op },
    values: { x },
    samples: 4,
  };
  const most = op === 'relu6' ? MOST : 255;
  const codes = x.map((code, i) => {
    const steps = Math.min(Math.max(code, 118), most) - 118;
    return Math.min(255, Math.max(0, made(steps, i)));
  });
  return (await diagnosisOf(layer, codes))!;
}

test.each(['relu', 'relu6'])('%s with another scale', async (op) => {
  const { causes, explained, of, evidence } = await said(op, (steps) => Math.round(steps / 1.5) + 118);
  expect({ causes, explained }).toEqual({ causes: ['output-scale-wrong'], explained: of });
  const { found } = evidence['output-scale-wrong'] as { found: number };
  expect(found / X.scale).toBeCloseTo(1.5, 2);
});

test.each(['relu', 'relu6'])('%s with another zero point', async (op) => {
  const { causes, explained, of, evidence } = await said(op, (steps) => steps + 109);
  expect({ causes, explained }).toEqual({ causes: ['output-zero-point-wrong'], explained: of });
  expect(evidence['output-zero-point-wrong']).toMatchObject({ declared: 118, found: 109 });
});

test.each<[string, (steps: number, i: number) => number]>([
  ['by a root', (steps) => Math.round(8 * Math.sqrt(steps)) + 118],
  ['in one value otherwise', (steps, i) => Math.round(steps / 1.5) + 118 + (i === 37 ? 3 : 0)],
  ['moved, in one value otherwise', (steps, i) => steps + 109 + (i === 37 ? 3 : 0)],
  ['of noise', (_, i) => (i * 7919) % 251],
])('%s: no scale and no zero point', async (_, made) => {
  const { causes } = await said('relu6', made);
  expect(causes).not.toContain('output-scale-wrong');
  expect(causes).not.toContain('output-zero-point-wrong');
});
