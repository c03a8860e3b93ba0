/** Quantizes its own float input, with a scale chosen from each batch, and returns floats. */
import * as z from 'zod/mini';
import { expectInput } from './fields/inputs.js';
import { flattenField, flattenOf, productFields, productParams, rowsOfFeatures } from './fields/product.js';
import { floatOutput, layerFields } from './fields/schema.js';
import { FLOAT } from './fields/valueParams.js';
import type { Op } from './op.js';

export const linearDynamic: Op = {
  name: 'linear_dynamic',
  called: 'dynamic linear',
  schema: () =>
    z.object({
      ...layerFields,
      ...productFields,
      ...flattenField,
      reduce_range: z.boolean(),
      /** TFLite's: whether the input gets a zero point. */
      asymmetric_quantize_inputs: z.optional(z.boolean()),
      output: floatOutput,
    }),
  inputs: [1, 1],
  channels: 'last',
  dims: rowsOfFeatures,
  async read(layer) {
    expectInput(layer, ['float32'], 'it quantizes its own input; use op "linear" on codes');
    const params = await productParams(layer);
    const asymmetric = layer.fields?.asymmetric_quantize_inputs as boolean | undefined;
    const dynamic = {
      reduceRange: layer.fields?.reduce_range === true,
      ...(asymmetric === undefined ? {} : { asymmetric }),
    };
    return layer.fields && params
      ? { form: { kind: 'product', dynamic, ...flattenOf(layer), ...params }, output: FLOAT }
      : null;
  },
};
