/** Float values to uint8 codes, of a scale and zero point that are chosen from what each call reads; what file declares of them is no more than a unit. */
import * as z from 'zod/mini';
import { isQuantized } from '../nouns/value.js';
import { converts } from './fields/elementwise.js';
import { expectInput } from './fields/inputs.js';
import { codesOutput, layerFields } from './fields/schema.js';
import type { Op } from './op.js';

export const quantizeDynamic: Op = {
  name: 'quantize_dynamic',
  called: 'dynamic quantize',
  schema: () => z.object({ ...layerFields, output: codesOutput() }),
  inputs: [1, 1],
  needs: ['output'],
  channels: 'input',
  read(layer) {
    expectInput(layer, ['float32'], 'that value is quantized already');
    const { fields, output } = layer;
    return fields && output && isQuantized(output) ? { form: { ...converts, chosen: true }, output } : null;
  },
};
