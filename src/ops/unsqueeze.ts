/** torch.unsqueeze: an axis of one element is put in. */
import { axisOf } from '../tensor/axes.js';
import { isOverSamples } from './fields/axes.js';
import { moving } from './fields/layout.js';
import { integer } from './fields/schema.js';

export const unsqueeze = moving<{ dim: number }>(
  'unsqueeze',
  () => ({ dim: integer }),
  ({ dim }) => ({
    dims(input) {
      const axis = axisOf(dim, input, 1);
      return typeof axis === 'string' ? axis : [...input.dims.slice(0, axis), 1, ...input.dims.slice(axis)];
    },
  }),
  { needs: ['dim'], beyond: isOverSamples },
);
