/** The largest or smallest of codes over axes: no arithmetic. */

import type { ReduceAttributes } from '../../nouns/attributes.js';
import type { TensorSteps } from '../../nouns/kernel.js';
import { int32s } from '../../numeric/array.js';
import { axesOf, checkedAxes } from '../../tensor/axes.js';
import { reducedAxes } from '../../tensor/reduced.js';
import { sizeOf } from '../../tensor/shape.js';
import { tensorSteps } from './tensor.js';

function extreme(equation: string, beats: (a: number, b: number) => boolean): TensorSteps {
  return tensorSteps(equation, ({ attributes, inputs: [{ data, shape }], samples }) => {
    const axes = checkedAxes(axesOf((attributes as ReduceAttributes).dim, shape));
    const { first, step, size } = reducedAxes(shape.dims, axes);
    const whole = sizeOf(shape.dims);
    return int32s({ length: samples * size }, (_, i) => {
      const start = Math.floor(i / size) * whole + first[i % size];
      let best = data[start];
      for (const offset of step) if (beats(data[start + offset], best)) best = data[start + offset];
      return best;
    });
  });
}

export const largestOfAxes = extreme('the largest code', (a, b) => a > b);
export const smallestOfAxes = extreme('the smallest code', (a, b) => a < b);
