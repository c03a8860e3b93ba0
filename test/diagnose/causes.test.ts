import { describe, expect, test } from 'vitest';
import { kindsOf, MISTAKES } from './mistakes.js';
import { compareLayer, explanationsOf, randomFrom, worldOf } from './world.js';

// Every cause on the kinds of layer that it can be made on: small, wide (saturating, fused ReLU), per tensor, and those that show
// a tie. A mistake that the data cannot tell from another has to be listed; one that changes no value has to be silent.
describe.each(MISTAKES)('$name', ({ causes, instead, make, on }) => {
  test.each(kindsOf({ on }))('%s layer', async (kind) => {
    const own = [...causes].sort().join('+');
    const { named, listed = [own] } = instead?.[kind] ?? { named: [own] };
    for (const seed of [1, 2]) {
      const random = randomFrom(seed * 7919);
      const world = worldOf(kind, random);
      const { declared, captured, candidate } = make(world, random);
      const report = await compareLayer(world, declared, captured, { candidate });
      const layer = (report.candidate_layers ?? report.layers)[0];
      const explanations = explanationsOf(report);
      expect(named, `seed ${seed}`).toContain(explanations[0]);
      expect(
        explanations.filter((set) => listed.includes(set)),
        `seed ${seed}: ${explanations}`,
      ).not.toEqual([]);
      expect(layer.diagnosis).toMatchObject({ explained: layer.diagnosis!.of, lost: 0 });
    }
  });
});
