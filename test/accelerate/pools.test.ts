import { expect, it } from 'vitest';
import { webAssembly } from '../../src/accelerate/accelerator.js';
import { largestOfWindows } from '../../src/kernels/steps/pool.js';
import type { FastTensors, TensorCall } from '../../src/nouns/kernel.js';
import type { AxisCovers } from '../../src/tensor/covers.js';
import { random } from '../bench/case.js';
import { amongLeftovers } from './leftovers.js';

amongLeftovers();

const fast = webAssembly({ threads: 1, worthStarting: 0 });
fast.expect(1);

/** Windows of 1 to 9 places anywhere, the first of them empty. */
function axesOf(size: number, windows: number): AxisCovers[] {
  const at = random(16 * windows, 7);
  const cover = (window: number, places: Int32Array, start: number) => {
    const count = window === 0 ? 0 : 1 + (at[16 * window] % 9);
    for (let i = 0; i < count; i++) places[start + i] = (at[16 * window + i + 1] * 31) % size;
    return count;
  };
  return [{ size, windows, most: 9, cover, padded: () => 9 }];
}

function callOf(data: Uint8Array | Int8Array, dims: readonly number[], channelAxis: number, windows: number) {
  const other = dims.map((size, axis) => (axis === channelAxis ? size : 1));
  const outer = dims.findIndex((_, axis) => axis !== channelAxis);
  other[outer] = windows;
  const samples = data.length / dims.reduce((product, size) => product * size, 1);
  const image = { shape: { dims, channelAxis }, params: {}, memory: {} };
  return (own: FastTensors | null) =>
    ({
      inputs: [{ ...image, data }],
      output: { shape: { dims: other, channelAxis } },
      samples,
      fast: own,
    }) as unknown as TensorCall;
}

/** Every remainder of sixteen channels and of eight places. */
const images = [
  ...Array.from({ length: 17 }, (_, i) => [i + 1, 5 + i, 9] as const),
  [64, 28 * 28, 14 * 14],
  [3, 7000, 2],
  [300, 1, 5],
] as const;

it.each(images)('%i channels of %i places, %i windows', (channels, places, windows) => {
  const length = channels * places * (Math.ceil((1 << 14) / (channels * places)) + 1);
  const axes = axesOf(places, windows);
  for (const data of [random(length, 3), new Int8Array(random(length, 4).buffer, 0, length)]) {
    for (const [dims, axis] of [
      [[channels, places], 0],
      [[places, channels], 1],
    ] as const) {
      for (const least of data instanceof Int8Array ? [-128, -5] : [0, 5]) {
        const call = callOf(data, dims, axis, windows);
        let taken: unknown = null;
        const watched: FastTensors = {
          ...fast,
          largest(...given) {
            const made = fast.largest(...given);
            taken = made;
            return made;
          },
        };
        const found = largestOfWindows(call(watched), axes, least);
        expect(taken === found).toBe(true);
        expect(found.constructor).toBe(data.constructor);
        expect(found.join() === largestOfWindows(call(null), axes, least).join()).toBe(true);
      }
    }
  }
});

it('leaves what is no byte to the readable loop', () => {
  const call = callOf(random(1 << 15, 1), [1 << 15, 1], 0, 1);
  const found = largestOfWindows(call(fast), axesOf(1, 1), -1);
  expect(found).toBeInstanceOf(Int32Array);
  expect(
    fast.largest(
      { codes: new Uint8Array(9), channels: 1, places: 9, inPlanes: false },
      { list: new Int32Array(1), ends: Int32Array.of(1) },
      0,
    ),
  ).toBeNull();
});
