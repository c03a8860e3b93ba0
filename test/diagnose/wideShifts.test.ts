/** Of a layer with hundreds of inputs: which shifts of them are tried. */
import { expect, it } from 'vitest';
import type { Product } from '../../src/nouns/kernel.js';
import type { QuantParams } from '../../src/nouns/value.js';
import { compareLayer, outputsOf, randomFrom, type World, worldOf } from './world.js';

/** 544 inputs: those of two layers of 272. */
function veryWide(): World {
  const [first, second] = [5, 6].map((seed) => worldOf('wide', randomFrom(seed)));
  const { linear } = first;
  const half = linear.inFeatures;
  const inFeatures = 2 * half;
  const ofBoth = <A extends Int8Array | Uint8Array>(a: A, b: A, rows: number) => {
    const all = new (a.constructor as new (length: number) => A)(rows * inFeatures);
    for (let row = 0; row < rows; row++) {
      all.set(a.subarray(row * half, (row + 1) * half), row * inFeatures);
      all.set(b.subarray(row * half, (row + 1) * half), row * inFeatures + half);
    }
    return all;
  };
  const output = { ...linear.output, scale: 2 * (linear.output as QuantParams).scale } as QuantParams;
  const weight = ofBoth(linear.weight as Int8Array, second.linear.weight as Int8Array, linear.outFeatures);
  const product: Product = { ...linear, inFeatures, weight, output };
  return { ...first, linear: product, x: ofBoth(first.x, second.x, first.samples) };
}

it.each([3, 255, 288, -416])('by %i', async (by) => {
  const world = veryWide();
  const { inFeatures, input } = world.linear;
  const x = world.x.map((_, i) => {
    const k = (i % inFeatures) - by;
    return k < 0 || k >= inFeatures ? input.zeroPoint : world.x[i - by];
  });
  const candidate = outputsOf({ ...world, x });
  const { candidate_layers } = await compareLayer(world, world.linear, outputsOf(world), { candidate });
  expect(candidate_layers![0].diagnosis).toMatchObject({
    causes: ['k-order'],
    evidence: { 'k-order': { order: `shifted by ${by}` } },
  });
});
