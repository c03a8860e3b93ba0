/** Activations that an operator fuses, by the schema's numbers. */
import { quantizeDivisionHalfAway, quantizeOffsetFirst } from '../../kernels/steps/quantize.js';
import { RANGES } from '../../ops/fields/valueParams.js';
import type { RawParams } from './graph.js';
import type { Node, Translation } from './node.js';

const NAMES = ['none', 'relu', 'relu_n1_to_1', 'relu6', 'tanh', 'sign_bit'];
/** Those that model.json has by name: their codes are the kernel's to say. */
const NAMED = ['none', 'relu', 'relu6'];

/** The field of a layer, and why that cannot say it. */
export function fusedActivation(node: Node): Pick<Translation, 'notReplayed'> & { readonly activation: unknown } {
  const code = node.number('activation');
  const name = NAMES[code];
  if (name === undefined) throw node.refuse(`expected an activation of 0..${NAMES.length - 1}, got ${code}`);
  if (NAMED.includes(name)) return { activation: name };
  const params = node.graph.params(node.output().index);
  if (name !== 'relu_n1_to_1' || params?.scale === undefined) {
    return { activation: name, notReplayed: `its fused ${name} has no model` };
  }
  const codes = [-1, 1].map((real) => codeOf(real, params));
  if (!codes.includes(null)) return { activation: { clamp: codes } };
  const notReplayed = `runtimes make different codes of the bounds of its fused ${name}, which lie on half a step`;
  return { activation: name, notReplayed };
}

/**
 * Null where runtimes make different ones of it: TFLite's kernels round real / scale away from zero and add the zero point, XNNPACK
 * adds first and rounds to even.
 */
function codeOf(real: number, { dtype, scale, zero_point }: RawParams): number | null {
  const integer = dtype as keyof typeof RANGES;
  const [quantMin, quantMax] = RANGES[integer];
  const params = { dtype: integer, scale: scale!, zeroPoint: zero_point!, quantMin, quantMax };
  const [away, even] = [quantizeDivisionHalfAway, quantizeOffsetFirst].map((step) => step.prepare(params)(real));
  return away === even ? away : null;
}
