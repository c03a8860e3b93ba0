/** Codes to codes of another scale and zero point. */
import * as z from 'zod/mini';
import { isQuantized } from '../nouns/value.js';
import { converts } from './fields/elementwise.js';
import { expectInput } from './fields/inputs.js';
import { codesOutput, layerFields } from './fields/schema.js';
import type { Op } from './op.js';

/** TFLite's RELU nodes rescale as well. */
const CLAMPS = {
  none: null,
  relu: { lower: 0, upper: Number.POSITIVE_INFINITY },
  relu6: { lower: 0, upper: 6 },
  relu_n1_to_1: { lower: -1, upper: 1 },
} as const;

export const requantize: Op = {
  name: 'requantize',
  schema: () =>
    z.object({
      ...layerFields,
      activation: z.optional(z.enum(['none', 'relu', 'relu6', 'relu_n1_to_1'])),
      output: codesOutput(),
    }),
  inputs: [1, 1],
  channels: 'input',
  read(layer) {
    expectInput(layer, ['uint8', 'int8', 'int16', 'uint16', 'int32'], 'use op "quantize" on floats');
    const { fields, output } = layer;
    return fields && output && isQuantized(output)
      ? { form: { ...converts, clamp: CLAMPS[(fields.activation ?? 'none') as keyof typeof CLAMPS] }, output }
      : null;
  },
};
