/** torch.transpose: two axes of a sample change places. */
import { axesOf, checkedAxes } from '../tensor/axes.js';
import { moving } from './fields/layout.js';
import { integer } from './fields/schema.js';

export const transpose = moving<{ dim0: number; dim1: number }>(
  'transpose',
  () => ({ dim0: integer, dim1: integer }),
  ({ dim0, dim1 }) => {
    const swapped = (at: readonly number[], dims: readonly number[]) => {
      const [a, b] = checkedAxes(axesOf([dim0, dim1], { dims }));
      return at.map((_, axis) => at[axis === a ? b : axis === b ? a : axis]);
    };
    return {
      dims(input) {
        const axes = axesOf([dim0, dim1], input);
        return typeof axes === 'string' ? axes : swapped(input.dims, input.dims);
      },
      from: swapped,
    };
  },
  {
    needs: ['dim0', 'dim1'],
    beyond: (field) => (field('dim0') === 0 || field('dim1') === 0 ? "over the samples' axis" : null),
  },
);
