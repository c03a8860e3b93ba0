import fc from 'fast-check';
import { describe, it } from 'vitest';
import { kernels } from '../../src/kernels/registry.js';
import { laws } from '../laws.js';
import { layerCases } from './layers.js';

describe.each(kernels.map((kernel) => ({ name: kernel.name, kernel })))('$name', ({ kernel }) => {
  it.each(laws)('$name', ({ check }) => {
    fc.assert(
      fc.property(layerCases({ maxInFeatures: 24 }), (layer) => check(kernel, layer)),
      { seed: 30, numRuns: 25 },
    );
  });
});
