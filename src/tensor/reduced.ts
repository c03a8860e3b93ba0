import { strideOf } from './shape.js';

/** Axes of a sample that become one value: features of the input by features of the output. */
export interface Reduced {
  /** Features of the output, and how many of the input each stands for. */
  readonly size: number;
  readonly count: number;
  /** The first of them, [size]; what to add for the others, [count], in C order. */
  readonly first: Int32Array;
  readonly step: Int32Array;
}

export function reducedAxes(dims: readonly number[], axes: readonly number[]): Reduced {
  const kept = dims.map((_, axis) => axis).filter((axis) => !axes.includes(axis));
  const first = offsetsOf(dims, kept);
  const step = offsetsOf(dims, axes);
  return { size: first.length, count: step.length, first, step };
}

/** Of every index along some axes, in C order: how far its values lie from the first. */
function offsetsOf(dims: readonly number[], axes: readonly number[]): Int32Array {
  let offsets = new Int32Array(1);
  for (const axis of axes) {
    const [before, size, stride] = [offsets, dims[axis], strideOf(dims, axis)];
    offsets = new Int32Array(before.length * size);
    for (let i = 0, to = 0; i < before.length; i++)
      for (let at = 0; at < size; at++, to++) offsets[to] = before[i] + at * stride;
  }
  return offsets;
}
