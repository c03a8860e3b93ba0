/** y = x @ w.T + b on codes: rows of codes along the last axis. */

import * as z from 'zod/mini';
import { expectInput } from './fields/inputs.js';
import { flattenField, flattenOf, productFields, productParams, rowsOfFeatures } from './fields/product.js';
import { layerFields, outputSchema } from './fields/schema.js';
import type { Op } from './op.js';

export const linear: Op = {
  name: 'linear',
  schema: () => z.object({ ...layerFields, ...productFields, ...flattenField, output: outputSchema }),
  inputs: [1, 1],
  channels: 'last',
  dims: rowsOfFeatures,
  async read(layer) {
    expectInput(layer, ['uint8', 'int8'], 'put a quantize layer before it, or use op "linear_dynamic"', [
      'int16',
      'uint16',
    ]);
    const params = await productParams(layer);
    const { fields, output } = layer;
    if (!fields || !params || !output) return null;
    return { form: { kind: 'product', dynamic: null, ...flattenOf(layer), ...params }, output };
  },
};
