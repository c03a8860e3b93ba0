/** DynamicQuantizeLinear, and what makes floats of the sums behind it: Cast, and Mul by s_x * s_w. With ConvInteger nothing is fused. */
import { FLOAT32, INT8, INT32, onnxDtype, UINT8 } from '../../../load/onnx/dtypes.js';
import type { Context, Draft, Pattern } from '../draft.js';
import { type GraphNode, intOf, isOnnx, otherInput } from '../graph.js';
import type { Quantization } from '../quantization.js';
import { behindDynamic, quantizedBy, weightsOf } from './integerProduct.js';

export const dynamicQuantize: Pattern = { ops: ['DynamicQuantizeLinear', 'Cast', 'Mul'], match };

/** A unit to count in: the scale and zero point of the codes are chosen when the graph runs. */
const CODES: Quantization = { dtype: onnxDtype(UINT8), scale: [1], zeroPoint: [0], axis: 1, blockSize: 0 };

async function match(node: GraphNode, context: Context): Promise<Draft[] | null> {
  if (isOnnx(node, 'DynamicQuantizeLinear')) return quantized(node, context);
  if (isOnnx(node, 'Cast')) return castSums(node, context);
  if (!isOnnx(node, 'Mul')) return null;
  const reader = context.graph.onlyReader(node.outputs[0]);
  const isOfScales = isOnnx(reader, 'Mul') && (await scaled(reader, context))?.[0].nodes.includes(node);
  return isOfScales ? [] : scaled(node, context); // that one's layer has it
}

/** Scale and zero point are of a call, not of samples: no values, but where the graph gives them out. */
function quantized(node: GraphNode, { graph }: Context): Draft[] {
  const [codes, ...chosen] = node.outputs;
  const common = { at: node, nodes: [node], op: 'quantize_dynamic', inputs: [node.inputs[0]] };
  const because = 'its scale and zero point are those of the range that a call reads';
  const ofCall = chosen.filter((name) => graph.isOutput(name));
  const notReplayed = 'it is one number for a whole call, not one for each sample';
  return [
    { ...common, name: codes, output: CODES, because },
    ...ofCall.map((name) => ({ ...common, name, output: null, notReplayed })),
  ];
}

/** Sums, or bytes that count, to float32, which has every sum below 2^24. */
function castSums(node: GraphNode, { graph, typeOf }: Context): Draft[] | null {
  const [tensor] = node.inputs;
  const q = typeOf(tensor);
  const areNumbers =
    q !== null &&
    q !== 'float32' &&
    [INT32, UINT8, INT8].some((dtype) => q.dtype === onnxDtype(dtype)) &&
    q.scale[0] === 1 &&
    q.zeroPoint[0] === 0;
  if (!areNumbers || intOf(node, 'to', 0) !== FLOAT32) return null;
  const what = isOnnx(graph.makerOf(tensor), 'ConvInteger', 'MatMulInteger') ? 'sums' : 'integers';
  const common = { at: node, nodes: [node], name: node.outputs[0], inputs: [tensor] };
  return [{ ...common, op: 'dequantize', output: 'float32', reads: [{ tensor, q }], because: `${what} become floats` }];
}

/** The product in real units, computed from the floats that were quantized. */
async function scaled(node: GraphNode, context: Context): Promise<Draft[] | null> {
  const { graph, constants } = context;
  const cast = node.inputs.map((input) => graph.makerOf(input)).find((maker) => isOnnx(maker, 'Cast'));
  const product = cast ? graph.makerOf(cast.inputs[0]) : null;
  const chosen = isOnnx(product ?? null, 'ConvInteger', 'MatMulInteger') ? quantizedBy(product!, context) : null;
  if (!cast || !chosen) return null;
  const scales = graph.makerOf(otherInput(node, cast.outputs[0]));
  if (!isOnnx(scales, 'Mul') || !scales.inputs.includes(chosen.outputs[1])) return null;
  const ofWeights = otherInput(scales, chosen.outputs[1]);
  if (constants.get(ofWeights)?.dtype.name !== 'float32') return null;
  const weights = await weightsOf(product!, context, Array.from(await constants.numbers(ofWeights)));
  if (typeof weights === 'string') return null;
  return [
    {
      at: node,
      nodes: [scales, node],
      name: node.outputs[0],
      ...behindDynamic(weights, chosen),
      fields: { ...weights.fields, ...(weights.op === 'linear' ? { reduce_range: false } : {}), activation: 'none' },
      output: 'float32',
      because: 'with ConvInteger nothing is fused: its sums are multiplied by the product of the scales',
    },
  ];
}
