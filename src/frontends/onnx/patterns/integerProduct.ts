/**
 * ConvInteger and MatMulInteger by themselves: int32 sums of codes minus zero points, which no scale enters. Behind DynamicQuantizeLinear
 * the zero point is chosen when the graph runs: the layer then reads the floats, and quantizes them as that does.
 */
import { INT32, onnxDtype } from '../../../load/onnx/dtypes.js';
import type { RanAs } from '../../../nouns/model.js';
import type { Context, Draft, Pattern } from '../draft.js';
import { geometryOf, kernelOf } from '../geometry.js';
import { type GraphNode, intOf, isOnnx } from '../graph.js';
import { productFields } from '../product.js';
import { ofChannel, type Quantization } from '../quantization.js';
import { opName } from '../words.js';

export const integerProduct: Pattern = { ops: ['ConvInteger', 'MatMulInteger'], match };

const BECAUSE = 'the file says so: its sums are int32';

async function match(node: GraphNode, context: Context): Promise<Draft[] | null> {
  if (node.domain !== '') return null;
  const common = { at: node, nodes: [node], name: node.outputs[0] };
  const unknown = (notReplayed: string): Draft[] => [
    { ...common, op: opName(node), inputs: node.inputs.slice(0, 1), output: null, notReplayed },
  ];
  const weights = await weightsOf(node, context);
  if (typeof weights === 'string') return unknown(weights);
  const { op, notReplayed } = weights;
  const range = op === 'linear' ? { reduce_range: false } : {};
  const fields = { ...weights.fields, activation: 'none' };
  const chosen = quantizedBy(node, context);
  if (chosen)
    return [
      {
        ...common,
        ...behindDynamic(weights, chosen),
        fields: { ...fields, ...range },
        output: ONES,
        because: BECAUSE,
      },
    ];
  const zeroPoint = await zeroPointAt(node, 2, context);
  if (!zeroPoint) return unknown('its zero point is chosen when the graph runs');
  const q = readAs(node, zeroPoint, context);
  if (!q) return unknown('its codes have another zero point than it takes');
  return [
    {
      ...common,
      op,
      inputs: [node.inputs[0]],
      fields: { ...fields, weight_scale: 1 / q.scale[0] }, // no scale enters
      output: ONES,
      reads: [{ tensor: node.inputs[0], q }],
      arithmetic: 'integers',
      because: BECAUSE,
      ranAs: ranAs(node, q, weights.q),
      ...(notReplayed ? { notReplayed } : {}),
    },
  ];
}

/** Sums that count in ones. */
const ONES: Quantization = { dtype: onnxDtype(INT32), scale: [1], zeroPoint: [0], axis: 1, blockSize: 0 };

export interface IntegerWeights {
  readonly op: string;
  readonly q: Quantization;
  readonly fields: Readonly<Record<string, unknown>>;
  readonly notReplayed: string | null;
}

/** With scales of 1, or those given: one, or one a channel. A string: why there are none. */
export async function weightsOf(node: GraphNode, context: Context, scale = [1]): Promise<IntegerWeights | string> {
  const tensor = node.inputs[1] ?? '';
  const constant = context.constants.get(tensor);
  const layout = isOnnx(node, 'ConvInteger') ? 'conv' : 'columns';
  const isMatrix = layout === 'conv' || constant?.shape.length === 2;
  if (!constant || !isMatrix) return 'its weights are no constant';
  const zeroPoint = await zeroPointAt(node, 3, context);
  if (!zeroPoint) return 'the zero point of its weights is no constant';
  const axis = layout === 'conv' ? 0 : 1;
  const q: Quantization = { dtype: constant.dtype, scale, zeroPoint: [...zeroPoint], axis, blockSize: 0 };
  const { fields, notReplayed } = await productFields({ tensor, constant, q, layout }, null, context);
  if (layout === 'columns') return { op: 'linear', q, fields, notReplayed };
  const kernel = kernelOf(constant.shape);
  const geometry = geometryOf(node, kernel, context);
  const own = { ...fields, ...geometry.fields, groups: intOf(node, 'group', 1) };
  return { op: `conv${kernel.length}d`, q, fields: own, notReplayed: notReplayed ?? geometry.unknown };
}

/** The node that chooses the zero point of the codes that this one multiplies. */
export function quantizedBy(node: GraphNode, { graph }: Context): GraphNode | null {
  const [codes = '', , zeroPoint = ''] = node.inputs;
  const maker = graph.makerOf(codes);
  return isOnnx(maker, 'DynamicQuantizeLinear') && maker.outputs[2] === zeroPoint ? maker : null;
}

/** A layer that quantizes its own input. */
export function behindDynamic({ op, notReplayed }: IntegerWeights, chosen: GraphNode) {
  return {
    op: `${op}_dynamic`,
    inputs: [chosen.inputs[0]],
    arithmetic: 'integers',
    ...(notReplayed ? { notReplayed } : {}),
  } as const;
}

/** A ConvInteger's filter is its left operand: u8 images times s8 filters do not saturate. */
function ranAs(node: GraphNode, x: Quantization, w: Quantization): RanAs {
  const kind = ({ dtype }: Quantization) => (dtype.name === 'int8' ? 'int8' : 'uint8');
  return isOnnx(node, 'ConvInteger') ? { codes: kind(w), weights: kind(x) } : { codes: kind(x), weights: kind(w) };
}

/** One number, or one a channel; null where it is computed. */
async function zeroPointAt(node: GraphNode, i: number, { constants }: Context): Promise<readonly number[] | null> {
  const tensor = node.inputs[i] ?? '';
  if (tensor === '') return [0];
  return constants.get(tensor)?.source ? Array.from(await constants.numbers(tensor)) : null;
}

/** As who makes the codes says, if the zero point is that; the scale does not matter. */
function readAs(node: GraphNode, zeroPoint: readonly number[], { graph, typeOf }: Context): Quantization | null {
  const made = typeOf(node.inputs[0]);
  if (zeroPoint.length !== 1) return null;
  if (made && made !== 'float32') return ofChannel(made.zeroPoint, 0) === zeroPoint[0] ? made : null;
  const input = graph.model.graph.inputs.find(({ name }) => name === node.inputs[0]);
  return input ? { dtype: onnxDtype(input.elemType), scale: [1], zeroPoint, axis: 1, blockSize: 0 } : null;
}
