/** Codes to codes of another scale and zero point. */
import * as z from 'zod/mini';
import { isQuantized } from '../nouns/value.js';
import { converts } from './fields/elementwise.js';
import { expectInput } from './fields/inputs.js';
import { codesOutput, layerFields } from './fields/schema.js';
import type { Op } from './op.js';

export const requantize: Op = {
  name: 'requantize',
  schema: z.object({ ...layerFields, output: codesOutput }),
  inputs: [1, 1],
  channels: 'input',
  read(layer) {
    expectInput(layer, ['uint8', 'int8', 'int16', 'int32'], 'use op "quantize" on floats');
    const { fields, output } = layer;
    return fields && output && isQuantized(output) ? { form: converts, output } : null;
  },
};
