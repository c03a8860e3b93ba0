/** Rules of ties where the reference has another one than ties to even: what is said is what was done. */
import { expect, test } from 'vitest';
import { roundThenOffset } from '../../src/kernels/steps/offsetAndClamp.js';
import { halfDown, halfTowardZero } from '../../src/kernels/steps/round.js';
import { findings } from '../../src/report/words/findings.js';
import { compareLayer, fbgemmWith, kernel, outputsOf, randomFrom, worldOf } from './world.js';

const world = worldOf('ties', randomFrom(17));

/** Against a runtime that rounds halves up; multipliers are powers of two. */
async function said(by: string) {
  const [right, candidate] = ['tflite-single', by].map((name) => outputsOf(world, kernel(name)));
  const report = await compareLayer(world, world.linear, right, { candidate, kernel: 'tflite-single', producer: {} });
  const { causes, evidence } = report.candidate_layers![0].diagnosis!;
  const [{ headlines, details }] = findings(report, () => true);
  return { causes, evidence, text: JSON.stringify([headlines, details]) };
}

test('to even: no float multiplier is named first, and no tie goes up', async () => {
  const { causes, evidence, text } = await said('fbgemm');
  expect(causes).toEqual(['rounding-half-up']);
  expect(evidence).toMatchObject({ 'rounding-half-up': { to_even: true } });
  expect(text).toContain('ties rounded to even');
  expect(text).not.toContain('ties rounded up');
});

test('away from zero: the reference is not said to go to even', async () => {
  const { causes, text } = await said('tflite-float64');
  expect(causes).toEqual(['rounding-half-away']);
  expect(text).not.toContain('half to even');
});

test.each([
  [halfDown, 'rounding-half-up', 'down'],
  [halfTowardZero, 'rounding-half-away', 'towards zero'],
] as const)('of HLS types, %o: no scale is a little smaller', async (round, cause, way) => {
  const negatives = worldOf('ties', randomFrom(17));
  const right = outputsOf(negatives, kernel('fbgemm'));
  const candidate = outputsOf(negatives, fbgemmWith({ round, offsetAndClamp: roundThenOffset }));
  const report = await compareLayer(negatives, negatives.linear, right, { candidate, producer: {} });
  const { causes, evidence } = report.candidate_layers![0].diagnosis!;
  expect(causes).toEqual([cause]);
  expect(evidence).toMatchObject({ [cause]: { ties_go: way } });
  expect(JSON.stringify(findings(report, () => true))).toContain(`ties rounded ${way}`);
});
