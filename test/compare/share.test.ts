/** What of a run a process does, and what it starts for that. */
import { describe, expect, it } from 'vitest';
import { acceleratorFor } from '../../src/compare/accelerator.js';
import { multiplyAddsOf, selectedLayers } from '../../src/compare/shard.js';
import type { Capture } from '../../src/nouns/capture.js';
import type { Layer, Model } from '../../src/nouns/model.js';

function product(name: string, inFeatures: number, outFeatures: number): Layer {
  return { name, op: 'linear', inputs: ['x'], form: { kind: 'product', weight: { inFeatures, outFeatures } } } as never;
}

const layers = [product('large', 1024, 1024), product('conv', 9, 2), product('small', 4, 2)];
const model = { layers } as unknown as Model;
/** conv: 2 channels at 50 places. */
const features = { large: 1024, conv: 100, small: 2 };
const values = new Map(Object.entries(features).map(([name, count]) => [name, { features: count }]));
const capture = { samples: 64, values } as unknown as Capture;
const namesOf = (index: number, count: number) =>
  [...selectedLayers(model, capture, { shard: { index, count } }).own].map(({ name }) => name);

describe('a shard', () => {
  it('counts what a layer does at every place', () => {
    expect(layers.map((layer) => multiplyAddsOf(layer, capture))).toEqual([1024 * 1024, 900, 8]);
    expect(multiplyAddsOf(product('not captured', 5, 7), capture)).toBe(35);
  });

  it('has whole layers, even in work', () => {
    expect([namesOf(1, 2), namesOf(2, 2)]).toEqual([['large'], ['conv', 'small']]);
    expect([namesOf(1, 5), namesOf(5, 5)]).toEqual([['large'], []]);
  });

  it('starts an accelerator for its own work only', async () => {
    const small = { shard: { index: 2, count: 2 } };
    expect(await acceleratorFor(model, capture, { threads: 1, ...small })).toBeNull();
    expect(await acceleratorFor(model, capture, { threads: 1, selects: ({ name }) => name === 'small' })).toBeNull();
    expect(await acceleratorFor(model, capture, { threads: 1, samples: { from: 3, to: 3 } })).toBeNull();
    expect(await acceleratorFor(model, capture, { threads: 1, shard: { index: 1, count: 2 } })).not.toBeNull();
  });
});
