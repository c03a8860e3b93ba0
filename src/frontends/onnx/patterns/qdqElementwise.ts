/** Operators of two values between DequantizeLinear and QuantizeLinear; one of the two may be constant. */
import { type Arithmetic, arithmeticOf } from '../arithmetic.js';
import type { Context, Draft, Pattern } from '../draft.js';
import { type GraphNode, isOnnx } from '../graph.js';
import { type Operand, operandOf, type Tail, tailOf } from '../operand.js';
import { codesOf, outputOf } from '../quantization.js';
import { axisBeside, runsAlongSamples } from '../samples.js';
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
  const ran = arithmeticOf(reads, tail, context, { refused: refusal(node, operands) });
  const inputs = operands.map((operand) => valueNamed(operand, context, node.outputs[0]));
  const draft: Draft = {
    at: node,
    nodes: [node, ...tail.nodes],
    name: tail.tensor,
    op: opName(node),
    inputs: inputs.map((name) => name ?? ''),
    fields: activation(tail, ran),
    output: tail.q,
    reads: codes,
    ...ran,
    ...(inputs.includes(null) ? { notReplayed: UNREAD_OPERAND } : {}),
    ...(runsAlongSamples(operandTensors(operands), node.outputs[0], context.asRun)
      ? { notReplayed: ALONG_SAMPLES }
      : {}),
  };
  return [draft];
}

const operandTensors = (operands: readonly Operand[]) => operands.map(({ tensor }) => tensor);

export const ALONG_SAMPLES = "a constant operand of it runs along the samples' axis";
export const UNREAD_OPERAND = 'one of its operands is a constant of a type that qdiff does not read';

function refusal(node: GraphNode, operands: readonly Operand[]): string | null {
  if (!isOnnx(node, 'Add', 'Mul')) return `ONNX Runtime has no ${node.opType} on codes`;
  return operands.some(({ kind }) => kind === 'constant') ? 'one of its operands is a float constant' : null;
}

/** The value that an operand of what gives `output` is: a tensor's codes, or a constant of the file; null where its numbers are not read. */
export function valueNamed(
  operand: Operand,
  { arrays, asRun }: Context,
  output: string,
  asPart = false,
): string | null {
  if (operand.kind === 'codes' || operand.kind === 'float') return operand.tensor;
  const { tensor, constant } = operand;
  const beside = axisBeside(constant.shape, output, asRun);
  if (operand.kind === 'weight') {
    const params = outputOf(operand.q);
    return params && arrays.value(tensor, constant, params, asPart, beside);
  }
  return constant.dtype.name === 'float32'
    ? arrays.value(tensor, constant, { dtype: 'float32' }, asPart, beside)
    : null;
}

/** The codes of a Relu's or Clip's bounds, where QuantizeLinear's own clamp does not replace it. */
function activation({ q, clamp }: Tail, { arithmetic }: Arithmetic): Draft['fields'] {
  if (!q || !clamp || arithmetic === 'integers') return { activation: 'none' };
  return { activation: { clamp: codesOf(q, clamp.lower, clamp.upper) } };
}
