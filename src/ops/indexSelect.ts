/** torch.index_select: the listed places of an axis, in their order, each as often as it stands there; or of several axes, a list each. */
import * as z from 'zod/mini';
import { axisOf, checkedAxes } from '../tensor/axes.js';
import { isOverSamples, oneOrMoreAxes } from './fields/axes.js';
import { moving } from './fields/layout.js';
import { integer } from './fields/schema.js';

interface Fields {
  readonly dim: number | readonly number[];
  readonly index: readonly number[] | readonly (readonly number[])[];
}

export const indexSelect = moving<Fields>(
  'index_select',
  () => ({ dim: oneOrMoreAxes, index: z.union([places(), z.array(places()).check(z.minLength(1))]) }),
  (fields, { checks, place }) => {
    const axes = [fields.dim].flat();
    const lists = typeof fields.index[0] === 'number' ? [fields.index as number[]] : (fields.index as number[][]);
    if (lists.length !== axes.length) {
      checks.problem('index', [...place, 'index'], `expected a list for each axis of dim, got ${lists.length}`);
      return null;
    }
    return {
      dims(input) {
        const taken = [...input.dims];
        for (const [i, dim] of axes.entries()) {
          const axis = axisOf(dim, input);
          if (typeof axis === 'string') return axis;
          const size = input.dims[axis];
          const outside = lists[i].find((index) => index < -size || index >= size);
          if (outside !== undefined) return `expected an index of axis ${dim}, which has ${size}, got ${outside}`;
          taken[axis] = lists[i].length;
        }
        return taken;
      },
      from(at, dims) {
        const own = [...at];
        for (const [i, dim] of axes.entries()) {
          const axis = checkedAxes(axisOf(dim, { dims }));
          const chosen = lists[i][at[axis]];
          own[axis] = chosen < 0 ? chosen + dims[axis] : chosen;
        }
        return own;
      },
    };
  },
  { needs: ['dim', 'index'], beyond: isOverSamples, channels: 'input' },
);

function places() {
  return z.array(integer).check(z.minLength(1));
}
