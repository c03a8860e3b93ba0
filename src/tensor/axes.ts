/** Axes of fields count the samples' axis as 0, as PyTorch does; a sample's own begin at 0 here. */
import type { Shape } from '../nouns/value.js';
import { dimsText, strideOf } from './shape.js';

/** Into a sample's dims; a string where there is no such axis, or it is the samples'. extra: axes that are to come (unsqueeze). */
export function axisOf(dim: number, { dims }: Pick<Shape, 'dims'>, extra = 0): number | string {
  const rank = dims.length + 1 + extra;
  const axis = (dim < 0 ? dim + rank : dim) - 1;
  if (axis >= 0 && axis < rank - 1) return axis;
  const given = `got ${dim} of ${dimsText(dims)}`;
  if (axis === -1)
    return `expected an axis of a sample (0 is the samples'), ${given}; each sample is computed by itself`;
  return `expected an axis in ${-rank + 1}..-1 or 1..${rank - 1}, ${given}`;
}

/** Each once, in rising order. */
export function axesOf(given: readonly number[], shape: Pick<Shape, 'dims'>): readonly number[] | string {
  const axes = given.map((dim) => axisOf(dim, shape));
  const wrong = axes.find((axis) => typeof axis === 'string');
  if (wrong !== undefined) return wrong as string;
  const sorted = (axes as number[]).sort((a, b) => a - b);
  const twice = sorted.find((axis, i) => axis === sorted[i - 1]);
  return twice === undefined ? sorted : `expected each axis once, got ${dimsText(given)}`;
}

/** Of a valid model. */
export function checkedAxes<A>(axes: A | string): A {
  if (typeof axes === 'string') throw new Error(axes);
  return axes;
}

/** One axis as lines of a value in C order: how many values each has, and how far apart they lie. Throws as `checkedAxes` does. */
export function linesAlong(dim: number, shape: Pick<Shape, 'dims'>) {
  const axis = checkedAxes(axisOf(dim, shape));
  return { axis, count: shape.dims[axis], step: strideOf(shape.dims, axis) };
}
