import type { Product } from '../nouns/kernel.js';
import { wrapInt32 } from '../numeric/integer.js';
import type { ProductSetup } from './setup.js';
import { withParams } from './setup.js';

/**
 * With its biases as a table of integers, made at the declared scales: other multipliers beside them leave those as they are, as in RTL
 * and firmware, whose constants come from two tables. Null: they follow the scales, or are integers of the file.
 */
export function withIntegerBias(setup: ProductSetup): ProductSetup | null {
  if (!setup.params.bias) return null;
  const bias = setup.steps.bias.prepare(setup.params);
  return bias.unit === 'int32' ? withParams(setup, { bias: null, biasInt32: bias.values }) : null;
}

/** int64 biases of a file as the int32 ones that they are, as a rule: what changes those changes these. */
export function withNarrowBias({ biasInt64, ...params }: Product): Product {
  if (!biasInt64) return params;
  const isNarrow = biasInt64.every((b) => wrapInt32(b) === b);
  return isNarrow ? { ...params, bias: null, biasInt32: Int32Array.from(biasInt64) } : { ...params, biasInt64 };
}
