/** Quantizes its own float input, with a scale chosen from each batch, and returns floats. */
import * as z from 'zod/mini';
import { expectInput } from './fields/inputs.js';
import { flattenField, flattenOf, productFields, productParams, rowsOfFeatures } from './fields/product.js';
import { layerFields, realOrSums } from './fields/schema.js';
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
      /** Of weights that are stored narrower than their codes: TFLite's int4. */
      weight_bits: z.optional(z.literal(4)),
      /** A range of its own for each row (torchao's per token), not one for all that a call reads. */
      per_row: z.optional(z.boolean()),
      output: realOrSums(),
    }),
  inputs: [1, 1],
  channels: 'last',
  dims: rowsOfFeatures,
  async read(layer) {
    expectInput(layer, ['float32'], 'it quantizes its own input; use op "linear" on codes');
    const params = await productParams(layer);
    const {
      asymmetric_quantize_inputs: asymmetric,
      per_row: perRow,
      weight_bits: bits,
    } = (layer.fields ?? {}) as {
      weight_bits?: 4;
      asymmetric_quantize_inputs?: boolean;
      per_row?: boolean;
    };
    const dynamic = {
      reduceRange: layer.fields?.reduce_range === true,
      ...(asymmetric === undefined ? {} : { asymmetric }),
      ...(perRow === undefined ? {} : { perRow }),
      ...(bits === undefined ? {} : { bits }),
    };
    const output = layer.output?.dtype === 'int32' ? layer.output : FLOAT; // int32: the sums themselves
    return layer.fields && params
      ? { form: { kind: 'product', dynamic, ...flattenOf(layer), ...params }, output }
      : null;
  },
};
