import { expect, it } from 'vitest';
import type { Scope } from '../../src/diagnose/study/data.js';
import { DistinctSums } from '../../src/diagnose/study/distinctSums.js';

const WIDTH = 3;

function of(sums: Int32Array | Float64Array, observed: Int32Array | Float32Array) {
  const scope = { samples: [...sums.keys()].slice(0, sums.length / WIDTH), observed } as unknown as Scope;
  return new DistinctSums().of(scope, '', () => sums);
}

/** Some hundred rows of few sums, others in each channel; a channel's codes are its own. */
const sums = Int32Array.from({ length: 300 * WIDTH }, (_, i) => -5 + (i % WIDTH) * 4 + ((i * 7) % (4 + (i % WIDTH))));
const codeOf = (sum: number, channel: number) => 2 * sum + 100 * channel;
const codes = sums.map((sum, i) => codeOf(sum, i % WIDTH));

it('every sum of a channel once, with its code', () => {
  const found = of(sums, codes) as { sums: Int32Array; codes: Int32Array };
  expect(found.sums.length % WIDTH).toBe(0);
  expect([...found.codes]).toEqual([...found.sums].map((sum, i) => codeOf(sum, i % WIDTH)));
  for (let channel = 0; channel < WIDTH; channel++) {
    const inChannel = (values: Int32Array) => new Set(values.filter((_, i) => i % WIDTH === channel));
    expect(inChannel(found.sums)).toEqual(inChannel(sums));
  }
  expect(found.sums.length).toBeLessThan(30);
});

it('equal sums of a channel with two codes: no steps give them', () => {
  const last = codes.with(codes.length - 1, codes.at(-1)! + 1);
  expect(of(sums, last)).toBe('none');
});

it('too many to be met often, or no integers', () => {
  expect(of(Int32Array.from(sums.keys()), codes)).toBeNull();
  expect(of(Float64Array.from(sums), codes)).toBeNull();
  expect(of(sums, Float32Array.from(codes))).toBeNull();
});
