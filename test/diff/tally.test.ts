import { expect, test } from 'vitest';
import { LayerDiff } from '../../src/diff/layerDiff.js';

const SAMPLES = 40;
const CHANNELS = 3;
const POSITIONS = 16 * 32;

/** Differences of every size, in some samples, rarer from channel to channel. */
function values() {
  const length = SAMPLES * CHANNELS * POSITIONS;
  const expected = Int8Array.from({ length }, (_, i) => ((i * 7919) % 251) - 120);
  const actual = Int32Array.from(expected, (value, i) => {
    const sample = Math.floor(i / (CHANNELS * POSITIONS));
    const channel = Math.floor(i / POSITIONS) % CHANNELS;
    return sample % 4 < 2 && i % (5 + 40 * channel) === 0 ? ((i * 31) % 256) - 128 : value;
  });
  return { expected, actual };
}

function diffIn(rows: number) {
  const { expected, actual } = values();
  const shape = { dims: [CHANNELS, 16, 32], channelAxis: 0 };
  const diff = new LayerDiff({ shape, unit: 'lsb', zeroPoint: -3, tolerance: 20 });
  const features = CHANNELS * POSITIONS;
  for (let from = 0; from < SAMPLES; from += rows) {
    const block = (of: Int8Array | Int32Array) => of.subarray(from * features, (from + rows) * features);
    diff.add({ firstSample: from, expected: block(expected), actual: block(actual) });
  }
  return diff.result();
}

test('a block that is tallied counts as values one by one', () => {
  const tallied = diffIn(SAMPLES);
  expect(tallied).toEqual(diffIn(1));
  expect(tallied.mismatched).toBeGreaterThan(1000);
  expect(tallied.beyondTolerance).toBeLessThan(tallied.mismatched);
  expect(tallied.samples.ranges[1]).toBe('4:6');
});

test('numbers wider than a byte are counted one by one', () => {
  const diff = new LayerDiff({ shape: { dims: [1], channelAxis: 0 }, unit: 'lsb', zeroPoint: 0, tolerance: 0 });
  diff.add({ firstSample: 0, expected: new Int32Array(1 << 13), actual: new Int32Array(1 << 13).fill(100_000) });
  expect(diff.result().maxAbsDiff).toBe(100_000);
});
