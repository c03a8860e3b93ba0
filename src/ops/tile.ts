/** torch.tile: each axis so many times, one after the other; the samples' once. */
import * as z from 'zod/mini';
import { dimsText } from '../tensor/shape.js';
import { moving } from './fields/layout.js';

export const tile = moving<{ dims: readonly number[] }>(
  'tile',
  () => ({ dims: z.array(z.int().check(z.positive())) }),
  ({ dims: [, ...times] }) => ({
    dims: ({ dims }) =>
      times.length === dims.length
        ? dims.map((own, i) => own * times[i])
        : `expected a number for each axis of its input ${dimsText(dims)}, got ${dimsText(times)}`,
    from: (at, dims) => at.map((index, i) => index % dims[i]),
  }),
  {
    needs: ['dims'],
    channels: 'input',
    beyond: (field) => ((field('dims') as unknown[] | null)?.[0] === 1 ? null : "over the samples' axis"),
  },
);
