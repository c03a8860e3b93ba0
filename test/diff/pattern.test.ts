import { describe, expect, test } from 'vitest';
import { LayerDiff } from '../../src/diff/layerDiff.js';
import { patternOf, Units } from '../../src/diff/pattern.js';
import type { Shape } from '../../src/nouns/value.js';
import { randomFrom } from '../diagnose/world.js';

const run = (from: number, to: number, step = 1) =>
  Array.from({ length: Math.ceil((to - from) / step) }, (_, i) => from + i * step);

// [what, units that differ, of, values that differ, what is said]
test.each([
  ['seven of 42, one after the other', run(35, 42), 42, 70, { from: 35, to: 42, step: 1, of: 42 }],
  ['nearly all between two', [10, 11, 13, 14, 15, 16], 60, 40, { from: 10, to: 17, step: 1, of: 60 }],
  ['every fourth', run(3, 64, 4), 64, 300, { from: 3, to: 64, step: 4, of: 64 }],
  ['every fourth, one less of them', run(3, 60, 4), 60, 300, { from: 3, to: 60, step: 4, of: 60 }],
  ['one alone, with many values', [5], 16, 9, { from: 5, to: 6, step: 1, of: 16 }],
  ['one alone, with one value', [5], 16, 1, null],
  ['all', run(0, 16), 16, 160, null],
  ['all but the last', run(0, 15), 16, 160, null],
  ['scattered', [1, 5, 6, 12, 20, 33], 42, 60, null],
  ['every fourth, but not the last', run(3, 60, 4), 64, 300, null],
  ['none', [], 16, 0, null],
])('%s', (_, units, of, values, pattern) => {
  expect(patternOf(Units.of(units), of, values)).toEqual(pattern);
});

describe('of a value', () => {
  const image: Shape = { dims: [4, 6, 8], channelAxis: 0 };

  function whereOf(shape: Shape, samples: number, differs: (at: readonly number[], sample: number) => boolean) {
    const size = shape.dims.reduce((a, b) => a * b, 1);
    const diff = new LayerDiff({ shape, unit: 'lsb', zeroPoint: 0, tolerance: 0 });
    const actual = Int32Array.from({ length: samples * size }, (_, i) => {
      const rest = shape.dims.map((_, axis) => shape.dims.slice(axis + 1).reduce((a, b) => a * b, 1));
      return Number(
        differs(
          rest.map((stride, axis) => Math.floor(i / stride) % shape.dims[axis]),
          Math.floor(i / size),
        ),
      );
    });
    // in two blocks, as values come
    const half = Math.floor(samples / 2) * size;
    diff.add({ firstSample: 10, expected: new Int32Array(half), actual: actual.subarray(0, half) });
    diff.add({
      firstSample: 10 + half / size,
      expected: new Int32Array(actual.length - half),
      actual: actual.subarray(half),
    });
    return diff.result().where;
  }

  test('the last row of every image', () => {
    expect(whereOf(image, 5, ([, y]) => y === 5)).toEqual([{ axis: 'row', from: 5, to: 6, step: 1, of: 6 }]);
  });

  test('the outermost positions', () => {
    const border = ([, y, x]: readonly number[]) => y === 0 || y === 5 || x === 0 || x === 7;
    expect(whereOf(image, 5, border)).toEqual([{ axis: 'border', from: 0, to: 1, step: 1, of: 6 }]);
  });

  test('samples are those of the capture', () => {
    expect(whereOf(image, 40, (_, sample) => sample >= 36)).toEqual([
      { axis: 'sample', from: 46, to: 50, step: 1, of: 40 },
    ]);
  });

  test('channels, of which the last lies at the end of each sample', () => {
    expect(whereOf({ dims: [32], channelAxis: 0 }, 20, ([n]) => n >= 27)).toEqual([
      { axis: 'channel', from: 27, to: 32, step: 1, of: 32 },
    ]);
  });

  test('chance makes no pattern: 1 of 400 layers, at most', () => {
    const random = randomFrom(5);
    let patterns = 0;
    for (let i = 0; i < 400; i++) {
      const share = 0.02 + 0.3 * random.uniform();
      patterns += whereOf(image, 20, () => random.uniform() < share).length;
    }
    expect(patterns).toBeLessThan(2);
  });
});
