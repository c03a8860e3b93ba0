import { expect, it } from 'vitest';
import { webAssembly } from '../../src/accelerate/accelerator.js';
import { roundedProductSums } from '../../src/kernels/steps/lossyAccumulate.js';
import { biasedAccumulators, narrowAccumulators } from '../../src/kernels/steps/narrowAccumulate.js';
import { fastLossy } from '../../src/products/multiply.js';
import { caseOf, fillings } from './cases.js';
import { amongLeftovers } from './leftovers.js';

amongLeftovers();

const fast = webAssembly({ threads: 1, worthStarting: 0 });

const steps = [...narrowAccumulators, ...biasedAccumulators, ...roundedProductSums];
/** Tails of pairs of rows and of panels of eight channels; sums that leave 16 and 24 bits. */
const shapes = [
  { rows: 1, channels: 1, inFeatures: 1 },
  { rows: 2, channels: 8, inFeatures: 3 },
  { rows: 5, channels: 17, inFeatures: 40 },
  { rows: 3, channels: 9, inFeatures: 600 },
];

it.each(steps.map((step) => [step.name, step] as const))('gives %s as it is read', (_, step) => {
  for (const shape of shapes) {
    for (const filling of fillings) {
      for (const dtype of ['uint8', 'int8'] as const) {
        const { x, linear } = caseOf(shape, filling, dtype, { x: 3, w: (n) => (n % 5) - 2 });
        const bias = Float32Array.from({ length: shape.channels }, (_, n) => (n % 3) * 500 - 400);
        const product = { ...linear, bias };
        expect(step.run(x, product, fast)).toEqual(step.run(x, product));
      }
    }
  }
});

it('takes what fits 16 bits', () => {
  const form = { bits: 0, up: 0, inward: 0, least: -(2 ** 15), most: 2 ** 15 - 1, start: null };
  const { x, linear } = caseOf({ rows: 2, channels: 3, inFeatures: 9 }, fillings[0], 'uint8');
  expect(fastLossy(form, x, linear, fast)).toBeInstanceOf(Int32Array);
  const wide = { ...x, data: Int32Array.from(x.data, (code) => code * 200) };
  expect(fastLossy(form, wide, linear, fast)).toBeNull();
});
