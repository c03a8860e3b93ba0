/** What ops on a value and a number have in common. */

import * as z from 'zod/mini';
import { activation } from '../../documents/activation.js';
import type { ScalarAttributes } from '../../nouns/attributes.js';
import type { Op } from '../op.js';
import { computed } from './activation.js';
import { layerFields, outputSchema } from './schema.js';

export function withNumber(name: string): Op {
  return {
    name,
    schema: () =>
      z.object({ ...layerFields, other: z.number(), activation: z.optional(activation), output: outputSchema }),
    inputs: [1, 1],
    needs: ['other', 'output'],
    reads: 'codes',
    channels: 'input',
    read: (layer) => computed(layer, ({ other }): ScalarAttributes => ({ other: other as number })),
  };
}
