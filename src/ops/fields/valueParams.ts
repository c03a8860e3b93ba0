import type { Checks, Place } from '../../documents/checks.js';
import { CODE_RANGES, type FloatParams, type ValueParams } from '../../nouns/value.js';
import type { RawValueParams } from './schema.js';

export const FLOAT: FloatParams = { dtype: 'float32' };

/** dtype, scale and zero_point of a value whose fields have the right types; undefined after a problem. */
export function valueParams(raw: RawValueParams, place: Place, checks: Checks): ValueParams | undefined {
  const { dtype, scale, zero_point: zeroPoint } = raw;
  if (dtype === 'float32') return FLOAT;
  const [min, max] = CODE_RANGES[dtype];
  const { quant_min: quantMin = min, quant_max: quantMax = max } = raw;
  const before = checks.problems.length;
  for (const [field, value] of Object.entries({ scale, zero_point: zeroPoint })) {
    if (value !== undefined) continue;
    checks.problem('field', [...place, field], `expected a number (${dtype} needs scale and zero_point), got nothing`);
  }
  for (const [field, value] of Object.entries({ zero_point: zeroPoint, quant_min: quantMin, quant_max: quantMax })) {
    if (value === undefined || (value >= min && value <= max)) continue;
    checks.problem('range', [...place, field], `expected an integer in ${min}..${max} (${dtype}), got ${value}`);
  }
  if (quantMin >= quantMax) {
    checks.problem('range', [...place, 'quant_max'], `expected more than quant_min ${quantMin}, got ${quantMax}`);
  }
  if (checks.problems.length > before) return undefined;
  return { dtype, scale: scale!, zeroPoint: zeroPoint!, quantMin, quantMax };
}
