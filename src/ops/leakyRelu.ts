/** x > 0 ? x : negative_slope * x. */
import type { SlopeAttributes } from '../nouns/attributes.js';
import { realFields, unary } from './fields/unary.js';

const { fields, of } = realFields({ negative_slope: 0.01 });

export const leakyRelu = unary(
  'leaky_relu',
  fields,
  (given): SlopeAttributes => ({ negativeSlope: of(given).negative_slope }),
);
