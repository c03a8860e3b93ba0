/** Setups are told apart by what they consist of, in few characters: some thousands of keys are kept of a search. */
import { expect, test } from 'vitest';
import type { Setup } from '../../src/diagnose/setup.js';
import { SetupKeys } from '../../src/diagnose/study/keys.js';
import { dynamicNumpy, withRange } from '../../src/kernels/steps/dynamic.js';

const weight = Int8Array.of(1, 2);
const round = { name: 'half-even' };
const setupOf = (params: object, steps: object = { round }, views: object = { stores: null, order: null }) =>
  ({ kind: 'product', steps, params, reads: [null], ...views }) as unknown as Setup;

test('the same objects and numbers in other records are one key', () => {
  const keys = new SetupKeys();
  const declared = { weight, inFeatures: 2, scale: 0.5 };
  expect(keys.of(setupOf({ ...declared }))).toBe(keys.of(setupOf({ ...declared }, { round })));
});

test.each([
  ['another number', { weight, inFeatures: 2, scale: 0.25 }],
  ['a number as text', { weight, inFeatures: 2, scale: '0.5' }],
  ['an equal array that is another', { weight: weight.slice(), inFeatures: 2, scale: 0.5 }],
  ['another field', { weight, inFeatures: 2, width: 0.5 }],
  ['numbers exchanged', { weight, inFeatures: 0.5, scale: 2 }],
  ['nothing in place of a number', { weight, inFeatures: 2, scale: null }],
])('%s is another key', (_, params) => {
  const keys = new SetupKeys();
  expect(keys.of(setupOf(params))).not.toBe(keys.of(setupOf({ weight, inFeatures: 2, scale: 0.5 })));
});

test('steps, views and how inputs are read are told apart', () => {
  const keys = new SetupKeys();
  const params = { weight };
  const all = [
    setupOf(params),
    setupOf(params, { round: { name: 'half-even' } }),
    setupOf(params, { round, float: null }),
    setupOf(params, { round }, { stores: null, order: [1, 0] }),
    setupOf(params, { round }, { stores: null, order: null, reads: [{ name: 'signed' }] }),
  ];
  expect(new Set(all.map((setup) => keys.of(setup))).size).toBe(all.length);
});

test('more objects than a character can number are told apart', () => {
  const keys = new SetupKeys();
  const arrays = Array.from({ length: 70_000 }, () => new Int8Array(0));
  expect(new Set(arrays.map((own) => keys.of(setupOf({ weight: own })))).size).toBe(arrays.length);
  expect(keys.of(setupOf({ weight }))).toHaveLength(6 * 3);
});

test('of dynamic layers an equal range is one key, whatever step it was made anew of', () => {
  const keys = new SetupKeys();
  const over = (range: Parameters<typeof withRange>[1]) => withRange(dynamicNumpy, range);
  const dynamic = over({ grain: 'row' });
  const quantize = { name: 'another rounding' };
  const of = (own: object) => keys.of(setupOf({ weight }, { round, dynamic: own }));
  expect(of({ ...dynamic, quantize })).toBe(of({ ...over({ grain: 'row' }), quantize }));
  const all = [
    dynamic,
    { ...dynamic, quantize },
    over({ grain: 'batch', codes: '7 bits' }),
    over({ codes: 'symmetric' }),
  ];
  expect(new Set(all.map(of)).size).toBe(all.length);
});

test('nothing is told apart from each content', () => {
  const keys = new SetupKeys();
  const all = [null, ...Array.from({ length: 50 }, (_, i) => ({ region: i }))].map((within) =>
    keys.of(setupOf({ weight }, { round }, { within })),
  );
  expect(new Set(all).size).toBe(all.length);
});
