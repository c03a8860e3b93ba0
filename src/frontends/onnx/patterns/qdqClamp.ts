/** Relu and Clip by themselves: on codes of one scale the codes of the bounds, computed in float and exact; or of codes, as they are. */
import type { Context, Draft, Pattern, SharedFields } from '../draft.js';
import type { GraphNode } from '../graph.js';
import { type Bounds, boundFields, boundsOf, operandOf, type Tail, tailOf } from '../operand.js';
import { codesOf, isRedundant, type Quantization, sameParams } from '../quantization.js';
import { sharedFields } from '../shared.js';

export const qdqClamp: Pattern = { ops: ['Relu', 'Clip'], match };

async function match(node: GraphNode, context: Context): Promise<Draft[] | null> {
  if (node.domain !== '') return null;
  const ofCodes = await onCodes(node, context);
  if (ofCodes) return [ofCodes];
  const x = await operandOf(node.inputs[0], context);
  const tail = await tailOf(node.outputs[0], context);
  if (x.kind !== 'codes' || !tail.q) return null;
  const bounds = await boundsOf(node, context);
  const isOne = bounds === null || (sameParams(tail.q, x.q) && !tail.clamp);
  const { unknown, ...own } = isOne ? await sharedFields(node, context) : requantized(tail.q, within(bounds, tail));
  return [
    {
      at: node,
      nodes: [node, ...tail.nodes],
      name: tail.tensor,
      ...own,
      inputs: [x.tensor],
      output: tail.q,
      reads: [x],
      ...ran(node, tail.q, bounds),
      ...(unknown ? { notReplayed: unknown } : {}),
    },
  ];
}

/** Fewer codes than the type has, as a quantizer of 4 bits or of a reduced range writes it: its bounds are codes. */
async function onCodes(node: GraphNode, context: Context): Promise<Draft | null> {
  const [x] = node.inputs;
  const q = context.typeOf(x);
  const bounds = q && q !== 'float32' && q.scale.length === 1 ? await boundsOf(node, context) : null;
  if (!q || q === 'float32' || !bounds) return null;
  const real = (code: number) => (code - q.zeroPoint[0]) * q.scale[0];
  const fields = boundFields({ lower: real(bounds.lower), upper: real(bounds.upper) });
  return { at: node, nodes: [node], name: node.outputs[0], op: 'clamp', fields, inputs: [x], output: q };
}

/** Where the codes' own clamp does the same, the operator goes. */
function ran({ opType }: GraphNode, q: Quantization, bounds: Bounds | null): Pick<Draft, 'arithmetic' | 'because'> {
  const redundant = bounds && isRedundant(q, bounds.lower, bounds.upper);
  if (redundant)
    return { because: `the codes reach no further than its bounds: ONNX Runtime leaves the ${opType} out` };
  return { arithmetic: 'float', because: `ONNX Runtime has no ${opType} on codes` };
}

/** With those that follow it. */
function within({ lower, upper }: Bounds, { clamp }: Tail): Bounds {
  return clamp ? { lower: Math.max(lower, clamp.lower), upper: Math.min(upper, clamp.upper) } : { lower, upper };
}

/** To other parameters: quantizing keeps the order, so the bounds may as well be those of the codes. */
function requantized(q: Quantization, { lower, upper }: Bounds): SharedFields & Pick<Draft, 'range'> {
  return { op: 'requantize', fields: {}, unknown: null, range: codesOf(q, lower, upper) };
}
