import { describe, expect, test } from 'vitest';
import { MISTAKES } from './mistakes.js';
import { compareLayer, explanationsOf, randomFrom, SHAPES, worldOf } from './world.js';

// Every cause on three kinds of layer: small, wide (saturating, fused ReLU), per tensor. A mistake that the data cannot tell from
// another has to be listed; one that changes no value has to be silent.
describe.each(MISTAKES)('$name', ({ causes, make }) => {
  test.each(Object.keys(SHAPES))('%s layer', async (kind) => {
    for (const seed of [1, 2]) {
      const random = randomFrom(seed * 7919);
      const world = worldOf(kind, random);
      const scene = make(world, random);
      if (!scene) continue;
      const report = await compareLayer(world, scene.declared, scene.captured, { candidate: scene.candidate });
      const layer = (report.candidate_layers ?? report.layers)[0];
      const explanations = explanationsOf(report);
      // of two causes one may change no value of this layer: then the other is the whole answer
      const acceptable = [[...causes].sort().join('+'), ...causes];
      expect(
        acceptable.some((set) => explanations.includes(set)),
        `seed ${seed}: ${explanations}`,
      ).toBe(true);
      expect(layer.diagnosis).toMatchObject({ explained: layer.diagnosis!.of, lost: 0 });
    }
  });
});
