/** torch.squeeze: axes of one element go; all of them where the file names none. */
import * as z from 'zod/mini';
import { axesOf } from '../tensor/axes.js';
import { isOverSamples, oneOrMoreAxes } from './fields/axes.js';
import { moving } from './fields/layout.js';

export const squeeze = moving<{ dim?: number | number[] }>(
  'squeeze',
  () => ({ dim: z.optional(oneOrMoreAxes) }),
  ({ dim }) => ({
    dims(input) {
      const axes = dim === undefined ? input.dims.map((_, axis) => axis) : axesOf([dim].flat(), input);
      return typeof axes === 'string' ? axes : input.dims.filter((size, axis) => size !== 1 || !axes.includes(axis));
    },
  }),
  { beyond: isOverSamples },
);
