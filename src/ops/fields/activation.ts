import type { Activation } from '../../nouns/model.js';
import { isQuantized } from '../../nouns/value.js';
import type { RawLayer, ReadLayer } from '../op.js';
import { tensorForm } from './tensor.js';

/** An op on whole values that may fuse an activation. attributes: for the kernels' steps. Null after a problem. */
export function computed(
  layer: RawLayer,
  attributes: (fields: NonNullable<RawLayer['fields']>) => unknown,
): ReadLayer | null {
  const { fields, output } = layer;
  if (!fields || !output) return null;
  return { form: tensorForm(attributes(fields), activationOf(layer)), output };
}

/** Codes of a clamp lie in order within those of the output, which has to have some. */
export function activationOf({ fields, output, place, checks }: RawLayer): Activation {
  const activation = (fields?.activation ?? 'none') as Activation;
  if (typeof activation === 'string' || output === undefined) return activation;
  const got = `got ${JSON.stringify(activation)}`;
  const [lo, hi] = activation.clamp;
  if (!output || !isQuantized(output)) {
    const expected = 'expected none, relu or relu6 (its output is float32, a clamp is in codes)';
    checks.problem('activation', [...place, 'activation'], `${expected}, ${got}`);
  } else if (!(output.quantMin <= lo && lo <= hi && hi <= output.quantMax)) {
    const expected = `expected two codes in order within ${output.quantMin}..${output.quantMax} (its output)`;
    checks.problem('activation', [...place, 'activation'], `${expected}, ${got}`);
  }
  return activation;
}
