/** What rounds once where two roundings are declared: whether an integer or a float multiplies is claimed only where the data tell. */
import { expect, test } from 'vitest';
import { findings } from '../../src/report/findings.js';
import { compareLayer, explanationsOf, kernel, outputsOf, randomFrom, worldOf } from './world.js';

async function told(by: string) {
  const world = worldOf('per tensor', randomFrom(17));
  const captured = outputsOf(world, kernel('tflite-double'));
  const candidate = outputsOf(world, kernel(by));
  const report = await compareLayer(world, world.linear, captured, {
    candidate,
    producer: {},
    kernel: 'tflite-double',
  });
  const [{ headlines, details }] = findings(report, () => true);
  const because = details.find(({ label }) => label === 'because')!.sentences.join(' ');
  return {
    names: explanationsOf(report),
    headline: headlines.at(-1),
    because,
    evidence: report.candidate_layers![0].diagnosis!.evidence,
  };
}

test.each(['tflite-single', 'numpy'])('%s', async (by) => {
  const { names, headline, because, evidence } = await told(by);
  expect(names).toEqual(['fixed-point-multiplier', 'multiplier-precision']);
  expect(evidence).toHaveProperty(['fixed-point-multiplier', 'or_float'], true);
  expect(headline).toMatch(/^Yours: rounded once, after an int32 or a float multiplier/);
  expect(because).toMatch(/^Yours rounds once, .* these values do not tell which; .* multiplies by the int32/);
});

test('two roundings of another kind are an integer’s: that is said', async () => {
  const { names, headline, because } = await told('tflite-double-up');
  expect(names[0]).toBe('fixed-point-multiplier');
  expect(headline).toMatch(/^Yours: fixed-point multiplier, double-up rounding/);
  expect(because).not.toContain('do not tell');
});
