/** torch.index_select: the listed places of an axis, in their order, each as often as it stands there. */
import * as z from 'zod/mini';
import { axisOf, checkedAxes } from '../tensor/axes.js';
import { isOverSamples } from './fields/axes.js';
import { moving } from './fields/layout.js';
import { integer } from './fields/schema.js';

interface Fields {
  readonly dim: number;
  readonly index: readonly number[];
}

export const indexSelect = moving<Fields>(
  'index_select',
  () => ({ dim: integer, index: z.array(integer).check(z.minLength(1)) }),
  ({ dim, index }) => ({
    dims(input) {
      const axis = axisOf(dim, input);
      if (typeof axis === 'string') return axis;
      const size = input.dims[axis];
      const outside = index.find((i) => i < -size || i >= size);
      if (outside !== undefined) return `expected an index of axis ${dim}, which has ${size}, got ${outside}`;
      return input.dims.map((own, i) => (i === axis ? index.length : own));
    },
    from(at, dims) {
      const axis = checkedAxes(axisOf(dim, { dims }));
      const chosen = index[at[axis]];
      return at.map((own, i) => (i === axis ? (chosen < 0 ? chosen + dims[axis] : chosen) : own));
    },
  }),
  { needs: ['dim', 'index'], beyond: isOverSamples, channels: 'input' },
);
