/** Operators of two values between DequantizeLinear and QuantizeLinear; one of the two may be constant. */
import { type Arithmetic, arithmeticOf } from '../arithmetic.js';
import type { Context, Draft, Pattern } from '../draft.js';
import { type GraphNode, isOnnx } from '../graph.js';
import { type Bounds, boundFields, isRelu, type Operand, operandOf, tailOf } from '../operand.js';
import { oneOrList } from '../quantization.js';
import { opName } from '../words.js';

export const qdqElementwise: Pattern = { ops: ['Add', 'Mul', 'Sub', 'Div', 'Max', 'Min'], match };

async function match(node: GraphNode, context: Context): Promise<Draft[] | null> {
  if (node.domain !== '' || node.inputs.length !== 2) return null;
  const operands = [await operandOf(node.inputs[0], context), await operandOf(node.inputs[1], context)];
  const codes = operands.filter((operand) => operand.kind === 'codes');
  if (codes.length === 0 || operands.some(({ kind }) => kind === 'float')) return null;
  const tail = await tailOf(node.outputs[0], context);
  if (!tail.q) return null;
  const reads = operands.filter((operand) => operand.kind === 'codes' || operand.kind === 'weight');
  const ran = arithmeticOf(reads, tail, context, refusal(node, operands));
  const other = operands.findIndex(({ kind }) => kind !== 'codes');
  const draft: Draft = {
    at: node,
    nodes: [node, ...tail.nodes],
    name: tail.tensor,
    op: opName(node),
    inputs: codes.map(({ tensor }) => tensor),
    fields: { ...(other >= 0 ? constantFields(operands[other], other, context) : {}), ...activation(tail.clamp, ran) },
    output: tail.q,
    reads: codes,
    ...ran,
    ...(other >= 0 ? { notReplayed: CONSTANT_OPERAND } : {}),
  };
  return [draft];
}

/** No op of model.json has one yet; its numbers are in the layer's fields. */
export const CONSTANT_OPERAND = 'one of its operands is constant';

function refusal(node: GraphNode, operands: readonly Operand[]): string | null {
  if (!isOnnx(node, 'Add', 'Mul')) return `ONNX Runtime has no ${node.opType} on codes`;
  return operands.some(({ kind }) => kind === 'constant') ? 'one of its operands is a float constant' : null;
}

/** The constant operand of an add or mul; `other_first` where it stands before the value. */
export function constantFields(operand: Operand, index: number, { arrays }: Context): Record<string, unknown> {
  if (operand.kind !== 'weight' && operand.kind !== 'constant') return {};
  const other = arrays.constant(operand.tensor, operand.constant);
  const q = operand.kind === 'weight' ? operand.q : null;
  const params = q ? { other_scale: oneOrList(q.scale), other_zero_point: oneOrList(q.zeroPoint) } : {};
  return { other, other_dtype: operand.constant.dtype.name, ...params, ...(index === 0 ? { other_first: true } : {}) };
}

function activation(clamp: Bounds | null, { arithmetic }: Arithmetic): object {
  if (!clamp || arithmetic === 'integers') return { activation: 'none' };
  return isRelu(clamp) ? { activation: 'relu' } : { activation: 'clamp', ...boundFields(clamp) };
}
