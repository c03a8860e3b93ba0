import { expect, test } from 'vitest';
import { carriesModel, readCarried, withoutModel } from '../../src/frontends/carried.js';
import { openNpz } from '../../src/load/npz.js';
import { memoryFiles } from '../support/memoryFiles.js';
import { npy, npz } from '../support/npz.js';

const numbers = npy('float32', [2], [1, 2]);
/** As an exporter writes it: what a layer has not is null. */
const model = {
  format: 'qdiff-model',
  layers: [{ name: 'fc', weight: { array: 'fc.weight' }, bias: null, scales: [{ array: 's' }, 3] }],
};
const bytes = Buffer.from(JSON.stringify(model));
const files = memoryFiles({
  'c.npz': npz({
    model: npy('uint8', [bytes.length], bytes),
    'fc.weight': numbers,
    s: numbers,
    fc: numbers,
    x: numbers,
  }),
  'plain.npz': npz({ model: numbers, fc: numbers }),
});

test('values bring a model, or have one of that name', async () => {
  expect(carriesModel(await openNpz(files, 'c.npz'))).toBe(true);
  expect(carriesModel(await openNpz(files, 'plain.npz'))).toBe(false);
  expect((await readCarried(files, 'c.npz')).raw).toEqual(model);
});

test('its own arrays are none of the values', async () => {
  const file = await withoutModel(await openNpz(files, 'c.npz'));
  expect([...file.arrays.keys()]).toEqual(['fc', 'x']);
});
