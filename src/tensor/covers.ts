/** What windows of pools cover, axis by axis: places inside the input, and how far they reach with padding. */
import type { Window } from '../nouns/window.js';
import { windowDims } from './patches.js';

/** Of one place of an output. */
export interface Cover {
  /** Positions of the input, in C order. */
  readonly places: Int32Array;
  /** How many of them an axis has, and with padding. */
  readonly inside: readonly number[];
  readonly padded: readonly number[];
}

interface AxisCover {
  readonly places: readonly number[];
  readonly padded: number;
}

/** By window and size of the input: a layer comes in many blocks of samples. */
const known = new WeakMap<Window, Map<string, readonly Cover[]>>();

/** Padding belongs to no place. */
export function windowCovers(window: Window, input: readonly number[]): readonly Cover[] {
  const own = known.get(window) ?? new Map<string, readonly Cover[]>();
  known.set(window, own);
  const key = input.join();
  const covers =
    own.get(key) ??
    joined(
      input,
      axesOf(window, input, (place, size) => place >= 0 && place < size),
    );
  own.set(key, covers);
  return covers;
}

/** QNNPACK's maximum: a tap on the padding reads the place at the border. */
export function borderCovers(window: Window, input: readonly number[]): Cover[] {
  const axes = axesOf(window, input, () => true).map((axis, i) =>
    axis.map(({ places, padded }) => ({
      places: places.map((place) => Math.min(Math.max(place, 0), input[i] - 1)),
      padded,
    })),
  );
  return joined(input, axes);
}

function axesOf(
  { kernel, stride, padding, dilation, ...window }: Window,
  input: readonly number[],
  isRead: (place: number, size: number) => boolean,
): AxisCover[][] {
  const output = windowDims({ kernel, stride, padding, dilation, ...window }, input);
  return input.map((size, axis) => {
    const [before, after] = padding[axis];
    return Array.from({ length: output[axis] }, (_, o) => {
      const start = o * stride[axis] - before;
      const taps = Array.from({ length: kernel[axis] }, (_, tap) => start + tap * dilation[axis]);
      const padded = Math.min(start + kernel[axis], size + after) - start;
      return { places: taps.filter((place) => isRead(place, size)), padded };
    });
  });
}

/** From floor(i * n / o) to ceil((i + 1) * n / o), each a float32 quotient. */
export function adaptiveCovers(input: readonly number[], output: readonly number[]): Cover[] {
  const axes = input.map((size, axis) => {
    const edge = (index: number) => Math.fround((index * size) / output[axis]);
    return Array.from({ length: output[axis] }, (_, i) => {
      const [from, to] = [Math.floor(edge(i)), Math.ceil(edge(i + 1))];
      return { places: Array.from({ length: to - from }, (_, k) => from + k), padded: to - from };
    });
  });
  return joined(input, axes);
}

function joined(input: readonly number[], axes: readonly (readonly AxisCover[])[]): Cover[] {
  const covers: Cover[] = [{ places: Int32Array.of(0), inside: [], padded: [] }];
  return axes.reduce(
    (outer, axis, i) => outer.flatMap((cover) => axis.map((own) => beside(cover, own, input[i]))),
    covers,
  );
}

/** Of one more axis, which is the innermost. */
function beside(outer: Cover, own: AxisCover, size: number): Cover {
  const places = new Int32Array(outer.places.length * own.places.length);
  let at = 0;
  for (const place of outer.places) for (const inner of own.places) places[at++] = place * size + inner;
  return { places, inside: [...outer.inside, own.places.length], padded: [...outer.padded, own.padded] };
}
