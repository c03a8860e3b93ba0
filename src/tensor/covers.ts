/** What windows of pools cover, axis by axis: places inside the input, and how far they reach with padding. */
import type { Window } from '../nouns/window.js';
import { largestOf } from '../numeric/extremes.js';
import { clamp } from '../numeric/integer.js';
import { windowDims } from './patches.js';
import { sizeOf } from './shape.js';

/** Of one place of an output. */
export interface Cover {
  /** Positions of the input, in C order. */
  readonly places: Int32Array;
  /** How many of them an axis has, and with padding. */
  readonly inside: readonly number[];
  readonly padded: readonly number[];
}

/** Of all, in C order; each is made when it is looked at: 4 million in a file of 30 kB took 3 GB. */
export interface Covers<C extends Cover = Cover> {
  readonly count: number;
  /** Where each is the product of windows along the axes. */
  readonly axes?: readonly AxisCovers[];
  /** The next call may overwrite what it gives. */
  at(window: number): C;
}

/** The windows along one axis. */
export interface AxisCovers {
  /** Places of the input, and of the output. */
  readonly size: number;
  readonly windows: number;
  /** Places that the largest has. */
  readonly most: number;
  /** Writes the places of a window from `start` on; how many they are. */
  cover(window: number, places: Int32Array, start: number): number;
  padded(window: number): number;
}

/** Padding belongs to no place. */
export function windowCovers(window: Window, input: readonly number[]): Covers {
  return joined(windowAxes(window, input));
}

/** One window, of all places. */
export function wholeCovers(input: readonly number[]): Covers {
  const window: Window = {
    kernel: input,
    stride: input,
    padding: input.map(() => [0, 0]),
    dilation: input.map(() => 1),
    transposed: null,
  };
  return windowCovers(window, input);
}

export function windowAxes(window: Window, input: readonly number[]): AxisCovers[] {
  return axesOf(window, input, (place, size) => (place >= 0 && place < size ? place : null));
}

/** QNNPACK's maximum: a tap on the padding reads the place at the border. */
export function borderAxes(window: Window, input: readonly number[]): AxisCovers[] {
  return axesOf(window, input, (place, size) => clamp(place, 0, size - 1));
}

/** read: the place that stands for one; null: none. */
function axesOf(
  window: Window,
  input: readonly number[],
  read: (place: number, size: number) => number | null,
): AxisCovers[] {
  const output = windowDims(window, input);
  const { kernel, stride, padding, dilation } = window;
  return input.map((size, axis) => {
    const [before, after] = padding[axis];
    const startOf = (o: number) => o * stride[axis] - before;
    return {
      size,
      windows: output[axis],
      most: kernel[axis],
      cover(o, places, start) {
        let count = 0;
        for (let tap = 0, at = startOf(o); tap < kernel[axis]; tap++, at += dilation[axis]) {
          const place = read(at, size);
          if (place !== null) places[start + count++] = place;
        }
        return count;
      },
      padded: (o) => Math.min(startOf(o) + kernel[axis], size + after) - startOf(o),
    };
  });
}

/** From floor(i * n / o) to ceil((i + 1) * n / o), each a float32 quotient. */
export function adaptiveCovers(input: readonly number[], output: readonly number[]): Covers {
  const axes = input.map((size, axis): AxisCovers => {
    const edge = (index: number) => Math.fround((index * size) / output[axis]);
    const [from, to] = [(o: number) => Math.floor(edge(o)), (o: number) => Math.ceil(edge(o + 1))];
    return {
      size,
      windows: output[axis],
      most: largestOf(Array.from({ length: output[axis] }, (_, o) => to(o) - from(o))),
      cover(o, places, start) {
        for (let place = from(o), at = start; place < to(o); place++) places[at++] = place;
        return to(o) - from(o);
      },
      padded: (o) => to(o) - from(o),
    };
  });
  return joined(axes);
}

function joined(axes: readonly AxisCovers[]): Covers {
  const most = axes.reduce((product, axis) => product * axis.most, 1);
  const places = new Int32Array(most);
  const own = axes.map((axis) => new Int32Array(axis.most));
  const [inside, padded] = [axes.map(() => 0), axes.map(() => 0)];
  const below = axes.map((_, axis) => sizeOf(axes.slice(axis + 1).map(({ windows }) => windows)));
  const views = new Map<number, Int32Array>();
  return {
    count: sizeOf(axes.map(({ windows }) => windows)),
    axes,
    at(window) {
      let count = 1;
      places[0] = 0;
      for (let i = 0; i < axes.length; i++) {
        const [axis, ofAxis] = [axes[i], own[i]];
        const o = Math.floor(window / below[i]) % axis.windows;
        const width = axis.cover(o, ofAxis, 0);
        inside[i] = width;
        padded[i] = axis.padded(o);
        // from the last on: what is read is not yet overwritten
        for (let outer = count - 1; outer >= 0; outer--) {
          const from = places[outer] * axis.size;
          for (let inner = width - 1; inner >= 0; inner--) places[outer * width + inner] = from + ofAxis[inner];
        }
        count *= width;
      }
      const view = views.get(count) ?? places.subarray(0, count);
      views.set(count, view);
      return { places: view, inside, padded };
    },
  };
}
