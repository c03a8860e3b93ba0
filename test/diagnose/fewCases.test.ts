/** What few values admit: rows that repeat, one channel, one value. Names for these were wrong, or one of two that are as plain. */
import { describe, expect, test } from 'vitest';
import type { NumericArray } from '../../src/nouns/array.js';
import { diagnosisOf } from '../support/alone.js';
import { codesOf, linear, type Summed, sumOf } from './ownSums.js';

/** All sets of causes that are told, as they are: the named one first. */
async function told({ alone }: Summed, values: NumericArray): Promise<string[]> {
  const diagnosis = (await diagnosisOf(alone, values))!;
  return [diagnosis.causes, ...diagnosis.indistinguishable.map(({ causes }) => causes)].map((set) => set.join('+'));
}

/** Each sample is the first one. */
function sentAgain(seed: number, size: { samples: number; inputs: number; outputs: number }): Summed {
  const layer = linear(seed, size);
  const { x } = layer.alone.values;
  for (let at = size.inputs; at < x.length; at += size.inputs) x.copyWithin(at, 0, size.inputs);
  return layer;
}

const moved = (values: Int32Array, by: (i: number) => number) =>
  values.map((code, i) => Math.min(255, Math.max(0, code + by(i))));

describe('a row that is sent 120 times', () => {
  test.each([1, 2, 3, 4, 5, 6, 7, 8])('tells no more than one: layer %i', async (seed) => {
    const layer = sentAgain(seed, { samples: 120, inputs: 8, outputs: 3 });
    const steps = [9, 0, -14].map((by, n) => by + seed * (n + 1));
    expect(
      await told(
        layer,
        moved(codesOf(layer, sumOf), (i) => (i % 3 === 1 ? 0 : steps[i % 3])),
      ),
    ).toEqual(['unexplained']);
  });
});
