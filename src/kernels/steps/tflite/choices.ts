/** Codes that are chosen, or where they are: no arithmetic, and the parameters are taken to be the same. */

import type { ReduceAttributes } from '../../../nouns/attributes.js';
import type { TensorSteps } from '../../../nouns/kernel.js';
import { isQuantized } from '../../../nouns/value.js';
import { int32s } from '../../../numeric/array.js';
import { floor } from '../../../numeric/round.js';
import { axesOf, checkedAxes } from '../../../tensor/axes.js';
import { sizeOf, strideOf } from '../../../tensor/shape.js';
import { fill, fillPairs, fillReals, reader } from '../call.js';
import { tensorSteps, withoutActivation } from '../tensor.js';
import { BYTES_AND_INT16 } from './common.js';

type Choice = (a: number, b: number) => number;

const ofBoth = (name: string, choose: Choice): TensorSteps =>
  withoutActivation({
    ...tensorSteps(`${name}(qa, qb)`, (call) => fillPairs(call, choose)),
    codes: BYTES_AND_INT16,
  });

export const maximumTflite = ofBoth('max', Math.max);
export const minimumTflite = ofBoth('min', Math.min);

/** SELECT: the code or float of either, as it is. */
export const selectTflite: TensorSteps = {
  ...tensorSteps('condition ? qa : qb', (call) => {
    const [condition, a, b] = call.inputs.map((_, i) => reader(call, i));
    const either = (i: number) => (condition(i) === 0 ? b(i) : a(i));
    return isQuantized(call.output.params) ? fill(call, either) : fillReals(call, either);
  }),
  codes: BYTES_AND_INT16,
};

/** The first of equal ones. */
function indexOf(name: string, beats: (a: number, b: number) => boolean): TensorSteps {
  return {
    ...tensorSteps(`the index of the ${name} code`, ({ attributes, inputs: [{ data, shape }], samples }) => {
      const [axis] = checkedAxes(axesOf((attributes as ReduceAttributes).dim, shape));
      const [inner, length] = [strideOf(shape.dims, axis), shape.dims[axis]];
      return int32s({ length: (samples * sizeOf(shape.dims)) / length }, (_, i) => {
        const start = floor(i / inner) * inner * length + (i % inner);
        let best = 0;
        for (let at = 1; at < length; at++) if (beats(data[start + at * inner], data[start + best * inner])) best = at;
        return best;
      });
    }),
    codes: [...BYTES_AND_INT16, 'int32'],
  };
}

export const indexOfLargest = indexOf('largest', (a, b) => a > b);
export const indexOfSmallest = indexOf('smallest', (a, b) => a < b);
