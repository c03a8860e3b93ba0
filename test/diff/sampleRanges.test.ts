import { expect, test } from 'vitest';
import { SampleRanges } from '../../src/diff/sampleRanges.js';

test.each([
  { what: 'none', samples: [], count: 0, ranges: [] },
  { what: 'one', samples: [35], count: 1, ranges: ['35:36'] },
  { what: 'a sample with several values', samples: [3, 3, 3], count: 1, ranges: ['3:4'] },
  { what: 'neighbours', samples: [35, 36, 36, 37], count: 3, ranges: ['35:38'] },
  { what: 'a gap', samples: [0, 2, 3], count: 3, ranges: ['0:1', '2:4'] },
])('$what', ({ samples, count, ranges }) => {
  const found = new SampleRanges();
  for (const sample of samples) found.add(sample);
  expect([found.count, found.listed()]).toEqual([count, ranges]);
});

test('of very many the first 32 are listed, whole, and all are counted', () => {
  const found = new SampleRanges();
  for (let sample = 0; sample < 1000; sample++) if (sample % 4 < 2) found.add(sample);
  expect(found.count).toBe(500);
  expect(found.listed()).toHaveLength(32);
  expect(found.listed().at(-1)).toBe('124:126');
});
