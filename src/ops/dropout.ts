/** torch.nn.functional.dropout of a model that is not trained: nothing changes. */
import * as z from 'zod/mini';
import { moving } from './fields/layout.js';

export const dropout = moving(
  'dropout',
  () => ({ p: z.optional(z.number()) }),
  () => ({ dims: ({ dims }) => dims }),
  {
    channels: 'input',
  },
);
