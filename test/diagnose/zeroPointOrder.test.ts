/** Where the zero point is added before rounding a sum may be a tie in float32 that is none after: no rule for ties differs. */
import { expect, test } from 'vitest';
import { roundThenOffset } from '../../src/kernels/steps/offsetAndClamp.js';
import type { Product } from '../../src/nouns/kernel.js';
import type { QuantParams } from '../../src/nouns/value.js';
import { compareLayer, explanationsOf, kernel, outputsOf, randomFrom, type World, worldOf } from './world.js';

const declared = kernel('onednn');
const after = { ...declared, offsetAndClamp: roundThenOffset };

/** Of a layer those channels in which one value differs, and lies above. */
function channelsOf(world: World): Product[] {
  const { linear } = world;
  const { inFeatures, weight, weightScale, bias } = linear;
  return Array.from(
    { length: linear.outFeatures },
    (_, n): Product => ({
      ...linear,
      outFeatures: 1,
      weight: weight.slice(n * inFeatures, (n + 1) * inFeatures),
      weightScale: weightScale.slice(n, n + 1),
      bias: bias!.slice(n, n + 1),
      output: { ...(linear.output as QuantParams), zeroPoint: 72 },
    }),
  ).filter((own) => {
    const [right, candidate] = [declared, after].map((steps) => outputsOf(world, steps, own));
    const differing = [...candidate].map((code, i) => code - right[i]).filter((diff) => diff !== 0);
    return differing.length === 1 && differing[0] > 0;
  });
}

test.each([3, 4, 5])('beside oneDNN the zero point after rounding: one value of a channel, world %i', async (seed) => {
  const world = worldOf('near ties', randomFrom(seed));
  const channels = channelsOf(world);
  expect(channels.length).toBeGreaterThan(0);
  for (const linear of channels) {
    const report = await compareLayer(world, linear, outputsOf(world, declared, linear), {
      candidate: outputsOf(world, after, linear),
      producer: {},
      kernel: 'onednn',
    });
    expect(report.candidate_layers![0].mismatched).toBe(1);
    expect(explanationsOf(report)).not.toContain('rounding-half-away');
  }
});
