/** Pools, functions of one value and Concat between DequantizeLinear and QuantizeLinear. */
import { arithmeticOf } from '../arithmetic.js';
import type { Context, Draft, Pattern } from '../draft.js';
import { type GraphNode, isOnnx } from '../graph.js';
import { operandOf, rangeOf, tailOf } from '../operand.js';
import { mixes } from '../resized.js';
import { sharedFields } from '../shared.js';
import { valueNamed } from './qdqElementwise.js';

/** ONNX Runtime has these on codes. */
const ON_CODES = ['Concat', 'Softmax', 'Sigmoid', 'LeakyRelu', 'AveragePool', 'GlobalAveragePool'];
const IN_FLOAT = [
  'Tanh',
  'HardSigmoid',
  'HardSwish',
  'Elu',
  'Gelu',
  'Erf',
  'Sqrt',
  'Neg',
  'Abs',
  'Exp',
  'PRelu',
  'Softplus',
  'BatchNormalization',
  'ReduceMean',
  'Resize',
  'LayerNormalization',
  'InstanceNormalization',
];

export const qdqUnary: Pattern = { ops: [...ON_CODES, ...IN_FLOAT], match };

async function match(node: GraphNode, context: Context): Promise<Draft[] | null> {
  if (node.domain !== '' || (isOnnx(node, 'Resize') && !mixes(node))) return null;
  const own = node.opType === 'Concat' ? node.inputs : node.inputs.slice(0, 1);
  const operands = await Promise.all(own.map((input) => operandOf(input, context)));
  const codes = operands.filter((operand) => operand.kind === 'codes');
  const tail = await tailOf(node.outputs[0], context);
  const reads = operands.filter((operand) => operand.kind === 'codes' || operand.kind === 'weight');
  if (!tail.q || codes.length === 0 || reads.length < operands.length) return null;
  const inputs = operands.map((operand) => valueNamed(operand, context, node.outputs[0], true));
  if (inputs.includes(null)) return null;
  const refused = ON_CODES.includes(node.opType) ? null : `ONNX Runtime has no ${node.opType} on codes`;
  const { op, fields, unknown } = await sharedFields(node, context);
  return [
    {
      at: node,
      nodes: [node, ...tail.nodes],
      name: tail.tensor,
      op,
      inputs: inputs as string[],
      fields,
      output: tail.q,
      ...rangeOf(tail),
      reads: codes,
      ...arithmeticOf(reads, tail, context, { refused }),
      ...(unknown ? { notReplayed: unknown } : {}),
    },
  ];
}
