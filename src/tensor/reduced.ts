import { indicesOf, sizeOf } from './shape.js';

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
  const sizes = axes.map((axis) => dims[axis]);
  const strides = axes.map((axis) => sizeOf(dims.slice(axis + 1)));
  return Int32Array.from({ length: sizeOf(sizes) }, (_, i) =>
    indicesOf(i, sizes).reduce((offset, at, k) => offset + at * strides[k], 0),
  );
}
