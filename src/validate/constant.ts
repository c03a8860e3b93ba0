import type { Checks, Place } from '../documents/checks.js';
import type { Constant } from '../nouns/model.js';
import { type ModelArrays, numberField } from '../ops/fields/numbers.js';
import { outputSchema } from '../ops/fields/schema.js';
import { valueParams } from '../ops/fields/valueParams.js';
import { sizeOf } from '../tensor/shape.js';
import { constantSchema } from './modelSchema.js';

/** Null after a problem. */
export function readConstant(raw: unknown, place: Place, checks: Checks, arrays: ModelArrays): Constant | null {
  const parsed = checks.parse(constantSchema, raw, place);
  const fields = checks.silently(outputSchema, raw);
  const params = fields ? valueParams(fields, place, checks) : undefined;
  const field = parsed && numberField(parsed.value, [...place, 'value'], checks, arrays);
  if (!parsed || !params || !field) return null;
  const dims = parsed.shape ?? [Math.max(1, sizeOf(field.shape))];
  if (sizeOf(field.shape) % sizeOf(dims) === 0 && sizeOf(field.shape) > 0) {
    return { name: parsed.name, params, dims, read: field.load };
  }
  const expected = `expected a multiple of ${sizeOf(dims)} values (its shape)`;
  checks.problem('length', [...place, 'value'], `${expected}, got ${sizeOf(field.shape)}${field.from}`);
  return null;
}
