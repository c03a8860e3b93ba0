/** Activations that an operator fuses, by the schema's numbers. */
import type { Node, Translation } from './node.js';

const NAMES = ['none', 'relu', 'relu_n1_to_1', 'relu6', 'tanh', 'sign_bit'];
/** Those that model.json has by name: their codes are the kernel's to say. */
const NAMED = ['none', 'relu', 'relu_n1_to_1', 'relu6'];

/** The field of a layer, and why that cannot say it. */
export function fusedActivation(node: Node): Pick<Translation, 'notReplayed'> & { readonly activation: unknown } {
  const code = node.number('activation');
  const name = NAMES[code];
  if (name === undefined) throw node.refuse(`expected an activation of 0..${NAMES.length - 1}, got ${code}`);
  return NAMED.includes(name)
    ? { activation: name }
    : { activation: name, notReplayed: `its fused ${name} has no model` };
}
