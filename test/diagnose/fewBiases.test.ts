/** Few channels with another bias, beside what firmware does to all: rounds them to int32. */
import { describe, expect, test } from 'vitest';
import type { Evidence } from '../../src/diagnose/finding/evidence.js';
import { int32BiasFloat64 } from '../../src/kernels/steps/bias.js';
import type { QuantParams } from '../../src/nouns/value.js';
import { compareLayer, fbgemmWith, outputsOf, randomFrom, worldOf } from './world.js';

const MOVED = 4;

/** Of a layer whose channel 4 has a bias so many steps off, in a script that rounds biases. */
async function told(seed: number, steps: number) {
  const world = worldOf('small', randomFrom(seed));
  const { linear } = world;
  const step = (linear.output as QuantParams).scale;
  const bias = linear.bias!.map((b, n) => (n === MOVED ? b + steps * step : b));
  const right = outputsOf(world);
  const rounded = outputsOf(world, fbgemmWith({ bias: int32BiasFloat64 }));
  const candidate = outputsOf(world, fbgemmWith({ bias: int32BiasFloat64 }), { ...linear, bias });
  const shown = rounded.filter((code, i) => code !== right[i] && i % linear.outFeatures !== MOVED).length;
  const report = await compareLayer(world, linear, right, { candidate });
  const { causes, evidence } = report.candidate_layers![0].diagnosis!;
  return {
    shown,
    causes: [...causes].sort(),
    channels: (evidence as Evidence)['bias-value']?.found?.map(({ channel }) => channel),
  };
}

describe.each([3.3, 1.2])('%f steps', (steps) => {
  test.each([...Array(12).keys()])(
    'layer %i: the rounding is told where it shows, and no second bias',
    async (seed) => {
      const { shown, causes, channels } = await told(seed, steps);
      expect(causes).toEqual(shown > 0 ? ['bias-int32', 'bias-value'] : ['bias-value']);
      expect(channels).toEqual([MOVED]);
    },
  );
});
