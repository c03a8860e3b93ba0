import { expect, test } from 'vitest';
import { NotFiniteCount } from '../../src/diff/notFinite.js';
import { rowOf } from '../../src/tensor/shape.js';

test('nothing but numbers, or codes', () => {
  const count = new NotFiniteCount(rowOf(2));
  count.add(0, Float32Array.of(1, -0, 3e38, 1e-45));
  count.add(2, Int32Array.of(1, 2));
  expect(count.result()).toBeNull();
});

test('kinds, counts, the first place and the samples, over blocks', () => {
  const count = new NotFiniteCount(rowOf(2));
  count.add(0, Float32Array.of(1, 2, Number.NaN, Number.NEGATIVE_INFINITY));
  count.add(2, Float32Array.of(Number.NaN, Number.NaN, 0, 0, Number.POSITIVE_INFINITY, 0));
  expect(count.result()).toEqual({
    nan: { values: 3, sample: 1, channel: 0, samples: ['1:3'] },
    inf: { values: 2, sample: 1, channel: 1, samples: ['1:2', '4:5'] },
  });
});

test('of an image the position too', () => {
  const count = new NotFiniteCount({ dims: [2, 2, 3], channelAxis: 0 });
  const values = new Float32Array(12);
  values[6 + 4] = Number.NaN;
  count.add(7, values);
  expect(count.result()).toEqual({ nan: { values: 1, sample: 7, channel: 1, at: [1, 1], samples: ['7:8'] } });
});
