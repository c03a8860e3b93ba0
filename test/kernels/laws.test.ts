import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { kernels } from '../../src/kernels/registry.js';
import { laws } from '../laws.js';
import { layerCases } from './layers.js';

describe.each(kernels.map((kernel) => ({ name: kernel.name, kernel })))('$name', ({ kernel }) => {
  const own = laws.filter(({ holdsFor = () => true }) => holdsFor(kernel));
  it.each(own)('$name', ({ check, layers }) => {
    fc.assert(
      fc.property(layerCases({ maxInFeatures: 24, ...layers }), (layer) => check(kernel, layer)),
      { seed: 30, numRuns: 25 },
    );
  });
});

it.each(laws)('some kernel has the law: $name', ({ holdsFor = () => true }) => {
  expect(kernels.filter(holdsFor)).not.toEqual([]);
});
