import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { rivalKernels } from '../../src/kernels/registry.js';
import { vectorsOf } from '../support/vectors.js';
import { compareLayer, KINDS, type Kind, kernel, outputsOf, randomFrom, worldOf } from './world.js';

const RUNS = { seed: 20260101, numRuns: 8 };
const kinds = fc.constantFrom(...KINDS);
/** With those on which kernels part that agree on every ordinary value. */
const allKinds = fc.constantFrom<Kind>(...KINDS, 'ties', 'near ties');
const seeds = fc.integer({ min: 1, max: 1e6 });

describe('for random layers', () => {
  test.each(
    rivalKernels(null)
      .filter(({ sums }) => sums !== 'float')
      .map(({ name }) => [name]),
  )('a capture made by %s has that kernel among those that explain it', async (name) => {
    let differing = 0;
    await fc.assert(
      fc.asyncProperty(allKinds, seeds, async (kind, seed) => {
        const world = worldOf(kind, randomFrom(seed));
        const report = await compareLayer(world, world.linear, outputsOf(world, kernel(name)), { producer: {} });
        const { diagnosis, mismatched } = report.layers[0];
        if (mismatched === 0) {
          expect(diagnosis).toBeNull();
          return;
        }
        differing++;
        expect(diagnosis!.explained_by).toContain(name);
        expect(diagnosis).toMatchObject({ explained: mismatched, lost: 0 });
      }),
      RUNS,
    );
    // fbgemm is what is declared, and fbgemm-vnni the same in linear layers: every other one differs in some of them
    expect(differing > 0).toBe(vectorsOf(name) !== 'fbgemm');
  });

  test('a name is given only where it leaves no value unexplained', async () => {
    await fc.assert(
      fc.asyncProperty(kinds, seeds, fc.constantFrom(0.5, 0.05, 0.005), async (kind, seed, share) => {
        const random = randomFrom(seed);
        const world = worldOf(kind, random);
        const saturated = outputsOf(world, kernel('fbgemm-avx2'));
        const noisy = saturated.map((v) => (random.uniform() < share ? random.integer(0, 255) : v));
        fc.pre(noisy.some((v, i) => v !== saturated[i]));
        const { diagnosis, mismatched } = (await compareLayer(world, world.linear, noisy)).layers[0];
        expect(diagnosis!.causes).toEqual(['unexplained']);
        expect(diagnosis).toMatchObject({ explained: 0, of: mismatched, explained_by: [] });
      }),
      { ...RUNS, numRuns: 8 },
    );
  });

  test('values in another order within their rows never get a name', async () => {
    await fc.assert(
      fc.asyncProperty(kinds, seeds, async (kind, seed) => {
        const random = randomFrom(seed);
        const world = worldOf(kind, random);
        const clean = outputsOf(world);
        const shuffled = clean.map(() => clean[random.integer(0, clean.length - 1)]);
        expect((await compareLayer(world, world.linear, shuffled)).layers[0].diagnosis!.causes).toEqual([
          'unexplained',
        ]);
      }),
      { ...RUNS, numRuns: 6 },
    );
  });
});
