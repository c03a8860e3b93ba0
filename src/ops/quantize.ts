/** Float values to codes. */
import * as z from 'zod/mini';
import { isQuantized } from '../nouns/value.js';
import { converts } from './fields/elementwise.js';
import { expectInput } from './fields/inputs.js';
import { codesOutput, layerFields } from './fields/schema.js';
import type { Op } from './op.js';

export const quantize: Op = {
  name: 'quantize',
  schema: () => z.object({ ...layerFields, output: codesOutput() }),
  inputs: [1, 1],
  channels: 'input',
  read(layer) {
    expectInput(layer, ['float32'], 'that value is quantized already');
    const { fields, output } = layer;
    return fields && output && isQuantized(output) ? { form: converts, output } : null;
  },
};
