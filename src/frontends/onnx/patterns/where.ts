/** Where between DequantizeLinear and QuantizeLinear, and QLinearWhere: a table for each side, or a copy. */
import { arithmeticOf } from '../arithmetic.js';
import type { Context, Draft, Pattern, Read } from '../draft.js';
import { type GraphNode, isMicrosoft, isOnnx } from '../graph.js';
import { type Operand, operandOf, rangeOf, tailOf } from '../operand.js';
import { BOOLEAN, type Quantization, quantizationOf } from '../quantization.js';
import { runsAlongSamples } from '../samples.js';
import { ALONG_SAMPLES, UNREAD_OPERAND, valueNamed } from './qdqElementwise.js';

export const where: Pattern = { ops: ['Where', 'QLinearWhere'], match };

async function match(node: GraphNode, context: Context): Promise<Draft[] | null> {
  if (isMicrosoft(node, 'QLinearWhere')) return onCodes(node, context);
  return isOnnx(node, 'Where') ? between(node, context) : null;
}

async function between(node: GraphNode, context: Context): Promise<Draft[] | null> {
  const operands = await Promise.all(node.inputs.slice(1).map((input) => operandOf(input, context)));
  const tail = await tailOf(node.outputs[0], context);
  const quantized = operands.filter((operand) => operand.kind === 'codes' || operand.kind === 'weight');
  if (!tail.q || quantized.length < operands.length) return null;
  const codes = quantized.filter(({ kind }) => kind === 'codes');
  const common = { at: node, nodes: [node, ...tail.nodes], name: tail.tensor, output: tail.q, ...rangeOf(tail) };
  const ran = arithmeticOf(quantized, tail, context, { refused: null });
  return [{ ...common, ...ran, ...chosen(node, quantized, codes, context) }];
}

async function onCodes(node: GraphNode, context: Context): Promise<Draft[] | null> {
  const [, x, , , y] = node.inputs;
  const at = async (tensor: string, place: number): Promise<Quantization | null> => {
    const [scale = '', zeroPoint] = node.inputs.slice(place, place + 2);
    return quantizationOf(context.constants, scale, zeroPoint, { dtype: context.constants.get(tensor)?.dtype });
  };
  const [ofX, ofY, output] = [await at(x, 2), await at(y, 5), await at('', 7)];
  if (!ofX || !ofY || !output) return null;
  const operands = [operand(x, ofX, context), operand(y, ofY, context)];
  const codes = operands.filter(({ kind }) => kind === 'codes');
  const because = 'the file says so: a QLinear operator runs as it is written';
  const common = { at: node, nodes: [node], name: node.outputs[0], output, arithmetic: 'integers', because } as const;
  return [{ ...common, ...chosen(node, operands, codes, context) }];
}

type Codes = Operand & { kind: 'codes' | 'weight' };

function operand(tensor: string, q: Quantization, { constants }: Context): Codes {
  const constant = constants.get(tensor);
  return constant ? { kind: 'weight', tensor, constant, q } : { kind: 'codes', tensor, q };
}

/** The condition is codes of 0 and 1. */
function chosen(node: GraphNode, operands: readonly Codes[], reads: readonly Read[], context: Context) {
  const [condition] = node.inputs;
  const constant = context.constants.get(condition);
  const params = { dtype: 'uint8', scale: 1, zero_point: 0 };
  const first = constant ? context.arrays.value(condition, constant, params) : condition;
  const inputs = [first, ...operands.map((operand) => valueNamed(operand, context, node.outputs[0]))];
  const along = runsAlongSamples(
    node.domain === '' ? [condition, ...operands.map(({ tensor }) => tensor)] : [],
    node.outputs[0],
    context.asRun,
  );
  const why = inputs.includes(null) ? UNREAD_OPERAND : along ? ALONG_SAMPLES : null;
  const ofCondition = constant ? [] : [{ tensor: condition, q: BOOLEAN }];
  return {
    op: 'where',
    inputs: inputs.map((name) => name ?? ''),
    reads: [...ofCondition, ...reads],
    ...(why ? { notReplayed: why } : {}),
  };
}
