/** Codes to float values. */
import * as z from 'zod/mini';
import { converts } from './fields/elementwise.js';
import { expectInput } from './fields/inputs.js';
import { floatOutput, layerFields } from './fields/schema.js';
import { FLOAT } from './fields/valueParams.js';
import type { Op } from './op.js';

export const dequantize: Op = {
  name: 'dequantize',
  schema: () => z.object({ ...layerFields, output: floatOutput() }),
  inputs: [1, 1],
  channels: 'input',
  read(layer) {
    expectInput(layer, ['uint8', 'int8', 'int16', 'uint16', 'int32'], 'that value is float already');
    return layer.fields && { form: converts, output: FLOAT };
  },
};
