/** torch.reshape, view: another shape of as many values, in the same order. The layer's own shape says which. */
import { dimsText, sizeOf } from '../tensor/shape.js';
import { moving } from './fields/layout.js';

export const reshape = moving<{ shape: readonly number[] }>(
  'reshape',
  {},
  ({ shape }) => ({
    dims: ({ dims }) =>
      sizeOf(dims) === sizeOf(shape)
        ? shape
        : `expected a shape of ${sizeOf(dims)} values (its input's ${dimsText(dims)}), got ${dimsText(shape)}`,
  }),
  { needs: ['shape'], channels: 'last' },
);
