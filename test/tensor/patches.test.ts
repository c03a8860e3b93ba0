import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Taps, Window } from '../../src/nouns/window.js';
import { HOLE, patchRows, tapsOf, windowDims } from '../../src/tensor/patches.js';

const plain = (kernel: number[], more: Partial<Window> = {}): Window => ({
  kernel,
  stride: kernel.map(() => 1),
  padding: kernel.map(() => [0, 0] as const),
  dilation: kernel.map(() => 1),
  transposed: null,
  ...more,
});

/** [positions, taps] */
function sourceOf({ positions, at }: Taps): number[] {
  return Array.from({ length: positions }, (_, position) => [...at(position)]).flat();
}

describe('sizes of outputs', () => {
  it.each([
    [
      '3x3 padded',
      plain([3, 3], {
        padding: [
          [1, 1],
          [1, 1],
        ],
      }),
      [8, 9],
      [8, 9],
    ],
    [
      'stride 2',
      plain([3, 3], {
        stride: [2, 2],
        padding: [
          [1, 1],
          [1, 1],
        ],
      }),
      [8, 9],
      [4, 5],
    ],
    ['dilated', plain([3], { dilation: [3] }), [10], [4]],
    [
      'uneven padding',
      plain([2, 2], {
        padding: [
          [0, 1],
          [1, 0],
        ],
      }),
      [4, 4],
      [4, 4],
    ],
    ['transposed', plain([2, 2], { stride: [2, 2], transposed: [0, 1] }), [3, 3], [6, 7]],
    ['floor', plain([2], { stride: [2] }), [7], [3]],
    ['ceil', plain([2], { stride: [2], ceil: true }), [7], [4]],
    [
      'ceil, but the last window would begin in the padding behind',
      plain([2], { stride: [3], padding: [[1, 1]], ceil: true }),
      [5],
      [2],
    ],
    ['a kernel larger than the input', plain([5]), [3], [-1]],
  ])('%s', (_, window, input, expected) => {
    expect(windowDims(window, input)).toEqual(expected);
  });
});

const windows = fc.record({
  size: fc.integer({ min: 1, max: 6 }),
  kernel: fc.integer({ min: 1, max: 3 }),
  stride: fc.integer({ min: 1, max: 3 }),
  dilation: fc.integer({ min: 1, max: 2 }),
  before: fc.nat({ max: 2 }),
  after: fc.nat({ max: 2 }),
});

describe('taps', () => {
  it('read the padded input at output * stride + tap * dilation', () => {
    fc.assert(
      fc.property(fc.array(windows, { minLength: 1, maxLength: 3 }), (axes) => {
        const window: Window = {
          kernel: axes.map((a) => a.kernel),
          stride: axes.map((a) => a.stride),
          dilation: axes.map((a) => a.dilation),
          padding: axes.map((a) => [a.before, a.after] as const),
          transposed: null,
        };
        const input = axes.map(({ size }) => size);
        const output = windowDims(window, input);
        fc.pre(output.every((size) => size >= 1));
        const read = tapsOf(window, input);
        const { taps, positions } = read;
        const source = sourceOf(read);
        expect(positions).toBe(output.reduce((a, b) => a * b, 1));
        const unflat = (flat: number, dims: readonly number[]) =>
          dims.map((dim, i) => Math.floor(flat / dims.slice(i + 1).reduce((a, b) => a * b, 1)) % dim);
        for (let p = 0; p < positions; p++) {
          for (let t = 0; t < taps; t++) {
            const [o, k] = [unflat(p, output), unflat(t, window.kernel)];
            const at = axes.map((a, i) => o[i] * a.stride + k[i] * a.dilation - a.before);
            const inside = at.every((index, i) => index >= 0 && index < input[i]);
            expect(source[p * taps + t]).toBe(
              inside ? at.reduce((flat, index, i) => flat * input[i] + index, 0) : HOLE,
            );
          }
        }
      }),
      { seed: 14 },
    );
  });

  it('of a transposed convolution are those of the plain one from the other side', () => {
    fc.assert(
      fc.property(windows, fc.nat({ max: 2 }), ({ size, kernel, stride, dilation, before, after }, extra) => {
        const window = plain([kernel], {
          stride: [stride],
          dilation: [dilation],
          padding: [[before, after]],
          transposed: [extra],
        });
        const [output] = windowDims(window, [size]);
        fc.pre(output >= 1);
        const source = sourceOf(tapsOf(window, [size]));
        for (let o = 0; o < output; o++) {
          for (let t = 0; t < kernel; t++) {
            const reads = Array.from({ length: size }, (_, i) => i).find(
              (i) => i * stride - before + t * dilation === o,
            );
            expect(source[o * kernel + t]).toBe(reads ?? HOLE);
          }
        }
      }),
      { seed: 15 },
    );
  });
});

describe('patches', () => {
  const window = plain([2, 2], {
    padding: [
      [1, 0],
      [0, 1],
    ],
  });
  const taps = tapsOf(window, [2, 2]);
  // sample s, channel c, place p: 100 s + 10 c + p
  const chw = Int32Array.from(
    { length: 2 * 4 * 4 },
    (_, i) => 100 * Math.floor(i / 16) + 10 * (Math.floor(i / 4) % 4) + (i % 4),
  );
  const hwc = Int32Array.from(
    { length: 2 * 4 * 4 },
    (_, i) => 100 * Math.floor(i / 16) + 10 * (i % 4) + (Math.floor(i / 4) % 4),
  );
  const reader = (data: Int32Array) => ({
    features: 16,
    read: async (a: number, b: number) => data.subarray(a * 16, b * 16),
  });

  it('hold tap by tap the channels of a group, whatever the layout', async () => {
    const front = patchRows(reader(chw), { dims: [4, 2, 2], channelAxis: 0 }, { taps, groups: 1, fill: -7 });
    const behind = patchRows(reader(hwc), { dims: [2, 2, 4], channelAxis: 2 }, { taps, groups: 1, fill: -7 });
    expect(front.features).toBe(16);
    expect([...(await front.read(0, 8))]).toEqual([...(await behind.read(0, 8))]);
    expect([...(await front.read(6, 7))]).toEqual([
      100, 110, 120, 130, 101, 111, 121, 131, 102, 112, 122, 132, 103, 113, 123, 133,
    ]);
    expect([...(await front.read(0, 1))]).toEqual([-7, -7, -7, -7, -7, -7, -7, -7, 0, 10, 20, 30, 1, 11, 21, 31]);
  });

  it('stand group by group', async () => {
    const two = patchRows(reader(chw), { dims: [4, 2, 2], channelAxis: 0 }, { taps, groups: 2, fill: 0 });
    expect([...(await two.read(6, 7))]).toEqual([
      100, 110, 101, 111, 102, 112, 103, 113, 120, 130, 121, 131, 122, 132, 123, 133,
    ]);
  });
});
