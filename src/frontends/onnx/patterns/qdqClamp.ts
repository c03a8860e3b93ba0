/** Relu and Clip by themselves: on codes of one scale the codes of the bounds, computed in float and exact. */
import type { Context, Draft, Pattern } from '../draft.js';
import type { GraphNode } from '../graph.js';
import { boundsOf, operandOf, tailOf } from '../operand.js';
import { isRedundant, type Quantization, sameParams } from '../quantization.js';
import { sharedFields } from '../shared.js';

export const qdqClamp: Pattern = { ops: ['Relu', 'Clip'], match };

/** Where the codes' own clamp does the same, the operator goes. */
async function ran(node: GraphNode, q: Quantization, context: Context): Promise<Pick<Draft, 'arithmetic' | 'because'>> {
  const bounds = await boundsOf(node, context);
  const redundant = bounds && isRedundant(q, bounds.lower, bounds.upper);
  if (redundant)
    return { because: `the codes reach no further than its bounds: ONNX Runtime leaves the ${node.opType} out` };
  return { arithmetic: 'float', because: `ONNX Runtime has no ${node.opType} on codes` };
}

async function match(node: GraphNode, context: Context): Promise<Draft[] | null> {
  if (node.domain !== '') return null;
  const x = await operandOf(node.inputs[0], context);
  if (x.kind !== 'codes') return null;
  const tail = await tailOf(node.outputs[0], context);
  if (!tail.q || tail.clamp) return null;
  const { op, fields, unknown } = await sharedFields(node, context);
  const other = sameParams(tail.q, x.q) ? null : 'it quantizes to other parameters than it reads';
  return [
    {
      at: node,
      nodes: [node, ...tail.nodes],
      name: tail.tensor,
      op,
      inputs: [x.tensor],
      fields,
      output: tail.q,
      reads: [x],
      ...(await ran(node, tail.q, context)),
      ...((unknown ?? other) ? { notReplayed: unknown ?? other! } : {}),
    },
  ];
}
