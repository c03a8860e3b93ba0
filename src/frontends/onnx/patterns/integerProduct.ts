/**
 * ConvInteger and MatMulInteger by themselves: int32 sums of codes minus zero points, which no scale enters. Where the zero point is
 * chosen when the graph runs (DynamicQuantizeLinear) they are not replayed.
 */
import { INT32, onnxDtype } from '../../../load/onnx/dtypes.js';
import type { Context, Draft, Pattern } from '../draft.js';
import { geometryOf } from '../geometry.js';
import { type GraphNode, intOf, isOnnx } from '../graph.js';
import { productFields } from '../product.js';
import { ofChannel, type Quantization } from '../quantization.js';
import { opName } from '../words.js';

export const integerProduct: Pattern = { ops: ['ConvInteger', 'MatMulInteger'], match };

async function match(node: GraphNode, context: Context): Promise<Draft[] | null> {
  if (node.domain !== '') return null;
  const [x, w = ''] = node.inputs;
  const common = { at: node, nodes: [node], name: node.outputs[0] };
  const unknown = (notReplayed: string): Draft[] => [
    { ...common, op: opName(node), inputs: [x], output: null, notReplayed },
  ];
  const constant = context.constants.get(w);
  const layout = isOnnx(node, 'ConvInteger') ? 'conv' : 'columns';
  if (!constant || (layout === 'columns' && constant.shape.length !== 2)) return unknown('its weights are no constant');
  const [ofX, ofW] = [await zeroPointAt(node, 2, context), await zeroPointAt(node, 3, context)];
  if (!ofX || !ofW) return unknown('its zero point is chosen when the graph runs');
  const q = readAs(node, ofX, context);
  if (!q) return unknown('its codes have another zero point than it takes');
  const own: Quantization = {
    dtype: constant.dtype,
    scale: [1],
    zeroPoint: ofW,
    axis: layout === 'conv' ? 0 : 1,
    blockSize: 0,
  };
  const { fields, notReplayed } = await productFields({ tensor: w, constant, q: own, layout }, null, context);
  const rank = Math.max(1, constant.shape.length - 2);
  const shape = layout === 'conv' ? geometryOf(node, rank) : { fields: {}, unknown: null };
  const groups = layout === 'conv' ? { groups: intOf(node, 'group', 1) } : {};
  const why = notReplayed ?? shape.unknown;
  return [
    {
      ...common,
      op: layout === 'conv' ? `conv${rank}d` : 'linear',
      inputs: [x],
      fields: { ...fields, ...shape.fields, ...groups, activation: 'none' },
      output: { dtype: onnxDtype(INT32), scale: q.scale, zeroPoint: [0], axis: 1, blockSize: 0 },
      reads: [{ tensor: x, q }],
      arithmetic: 'integers',
      because: 'the file says so: its sums are int32',
      ...(why ? { notReplayed: why } : {}),
    },
  ];
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
