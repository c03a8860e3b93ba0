/** What is taken together by an op that makes one value of those along its axes. */
import type { ReduceAttributes } from '../../nouns/attributes.js';
import type { TensorCall } from '../../nouns/kernel.js';
import { floor } from '../../numeric/round.js';
import { axesOf, checkedAxes } from '../../tensor/axes.js';
import { reducedAxes } from '../../tensor/reduced.js';
import { sizeOf } from '../../tensor/shape.js';

/** Of a place of the output: the values that become one. */
export function linesOf({ attributes, inputs: [{ data, shape }] }: TensorCall): (i: number) => number[] {
  const axes = checkedAxes(axesOf((attributes as ReduceAttributes).dim, shape));
  const { first, step, size } = reducedAxes(shape.dims, axes);
  return (i) => Array.from(step, (offset) => data[floor(i / size) * sizeOf(shape.dims) + first[i % size] + offset]);
}
