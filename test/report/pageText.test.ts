/** What the html page says in words and numbers. */
import { describe, expect, test } from 'vitest';
import {
  BINS,
  CLASS_NAMES,
  cssClass,
  EQUAL_BIN,
  number,
  short,
  signed,
  sizeClass,
} from '../../src/report/page/classes.js';
import { channelText, type Layer, layerText, type Model, positionOf, sizeText } from '../../src/report/page/model.js';

test.each([
  [0, 'equal', 'c0'],
  [-1, '1', 'l1'],
  [2, '2–4', 'c2'],
  [-4, '2–4', 'l2'],
  [5, '5–16', 'c3'],
  [16, '5–16', 'c3'],
  [17, '17–64', 'c4'],
  [-64, '17–64', 'l4'],
  [65, '65+', 'c5'],
])('a difference of %i is in class %s', (difference, name, css) => {
  expect([CLASS_NAMES[sizeClass(difference)], cssClass(difference, true)]).toEqual([name, css]);
  expect(cssClass(difference)).toBe(css.replace('l', 'c'));
});

test('the bin of what is equal', () => {
  expect([BINS.length, BINS[EQUAL_BIN]]).toEqual([9, '0']);
});

test.each([
  [0, '0', '0', '0'],
  [1103, '1,103', '+1,103', '1,103'],
  [-12.4, '−12.4', '−12.4', '−12.4'],
  [0.027182, '0.02718', '+0.02718', '0.027'],
  [0.00058, '0.00058', '+0.00058', '6e−4'],
  [-0.0000123456, '−1.23e−5', '−1.23e−5', '−1e−5'],
  [0.000123456, '0.0001235', '+0.0001235', '1e−4'],
  [1234.5678, '1,235', '+1,235', '1,230'],
  [1e15, '1.000e+15', '+1.000e+15', '1.000e+15'],
  [Number.NEGATIVE_INFINITY, '−inf', '−inf', '−inf'],
  [Number.NaN, 'NaN', 'NaN', 'NaN'],
])('%d is written %s, with its sign %s, in little room %s', (value, plain, withSign, little) => {
  expect([number(value), signed(value), short(value)]).toEqual([plain, withSign, little]);
});

/** Channels 1, 4 and 6 of 8 differ; of each two the worst is kept. */
const layer = {
  ...{ name: 'fc1', op: 'linear', unit: 'lsb', step: 1, status: 'mismatch', why: 'int16-saturation' },
  ...{
    outFeatures: 8,
    perChannel: 1510,
    mismatched: 963,
    values: 2416,
    maxAbsDiff: 74,
    differing: 3,
    channelsPerCell: 2,
  },
  channels: Uint32Array.of(1, 4, 6),
  counts: Uint32Array.of(91, 1510, 3),
  sizes: Float32Array.of(74, 1, 2),
  means: Float32Array.of(-20.75, 0.5, 0),
  causeSet: Uint8Array.of(0, 1, 255),
} as unknown as Layer;
const model = { causeSets: ['int16-saturation', 'unexplained'] } as unknown as Model;
const changed = (change: object) => ({ ...layer, ...change }) as Layer;

describe('a channel', () => {
  test('is found among those that are kept', () => {
    expect([0, 1, 2, 3, 4, 5, 6, 7].map((channel) => positionOf(layer, channel))).toEqual([
      -1, 0, -1, -1, 1, -1, 2, -1,
    ]);
  });

  test.each([
    [1, {}, '91 of 1,510 differ · up to 74 steps · mean −20.75 · int16-saturation'],
    [4, {}, '1,510 of 1,510 differ · up to 1 step · mean +0.5 · unexplained'],
    [6, {}, '3 of 1,510 differ · up to 2 steps · mean 0 · other causes'],
    [7, {}, 'equal'],
    [7, { differing: 4 }, 'equal, or not the worst of its 2: qdiff explain tells'],
    [7, { status: 'not-captured' }, 'not compared'],
    [8, {}, 'fc1 has 8 channels'],
  ])('%i with %j: %s', (channel, change, text) => {
    expect(channelText(changed(change), channel, model)).toBe(text);
  });
});

test.each([
  [{}, 'fc1, linear: 963 of 2,416 values differ, up to 74 steps: int16-saturation'],
  [{ why: '' }, 'fc1, linear: 963 of 2,416 values differ, up to 74 steps'],
  [{ mismatched: 0 }, 'fc1, linear: equal'],
  [{ status: 'not-replayed', why: 'no input' }, 'fc1, linear: not compared: no input'],
])('a layer with %j: %s', (change, text) => {
  expect(layerText(changed(change))).toBe(text);
});

test.each([
  [{ unit: 'ulp' }, 9, '9 ULP'],
  [{ unit: 'real' }, 0.0123, '0.0123'],
  [{ unit: 'real', step: 0.0137 }, 0.0123, '0.0123 (0.35% of the range)'],
])('a size with %j: %d is %s', (change, size, text) => {
  expect(sizeText(changed(change), size)).toBe(text);
});
