/** What ops on a value and a number have in common. */

import * as z from 'zod/mini';
import { activation } from '../../documents/fields.js';
import type { ScalarAttributes } from '../../nouns/attributes.js';
import type { Activation } from '../../nouns/model.js';
import type { Op } from '../op.js';
import { layerFields, outputSchema } from './schema.js';
import { tensorForm } from './tensor.js';

export function withNumber(name: string): Op {
  return {
    name,
    schema: z.object({ ...layerFields, other: z.number(), activation: z.optional(activation), output: outputSchema }),
    inputs: [1, 1],
    needs: ['other', 'output'],
    reads: 'codes',
    channels: 'input',
    read({ fields, output }) {
      if (!fields || !output) return null;
      const attributes: ScalarAttributes = { other: fields.other as number };
      return { form: tensorForm(attributes, fields.activation as Activation | undefined), output };
    },
  };
}
