/** QuantizeLinear of a float value; of one that was dequantized the step before: from codes to codes. */
import type { Context, Draft, Pattern } from '../draft.js';
import type { GraphNode } from '../graph.js';
import { operandOf, quantizeOf } from '../operand.js';
import { unknownScale } from '../quantization.js';

export const quantize: Pattern = { ops: ['QuantizeLinear'], match };

async function match(node: GraphNode, context: Context): Promise<Draft[] | null> {
  if (node.domain !== '') return null;
  const q = await quantizeOf(node, context);
  const x = await operandOf(node.inputs[0], context);
  const common = { at: node, nodes: [node], name: node.outputs[0], output: q };
  const ofFloats = x.kind !== 'float' || context.typeOf(node.inputs[0]) !== null;
  const why = q
    ? 'it reads floats of another type than float32'
    : unknownScale(node.inputs[1] ?? '', context.constants);
  const unknown = q && ofFloats ? {} : { notReplayed: why };
  if (x.kind !== 'codes') return [{ ...common, op: 'quantize', inputs: [node.inputs[0]], ...unknown }];
  const because = 'it dequantizes and quantizes again, in float';
  return [{ ...common, op: 'requantize', inputs: [x.tensor], reads: [x], arithmetic: 'float', because, ...unknown }];
}
