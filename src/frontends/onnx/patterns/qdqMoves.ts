/** Operators that move codes or choose among them: on codes as they are, or between DequantizeLinear and QuantizeLinear. */
import { arithmeticOf } from '../arithmetic.js';
import type { Context, Draft, Pattern } from '../draft.js';
import { attribute, type GraphNode, isOnnx } from '../graph.js';
import { operandOf, tailOf } from '../operand.js';
import { sameParams } from '../quantization.js';
import { sharedFields } from '../shared.js';

const MOVES = [
  'MaxPool',
  'Reshape',
  'Flatten',
  'Transpose',
  'Slice',
  'Gather',
  'Split',
  'Squeeze',
  'Unsqueeze',
  'Expand',
  'DepthToSpace',
  'SpaceToDepth',
  'Tile',
  'ReduceMax',
  'ReduceMin',
  'Resize',
];

/** It moves what was dequantized: before or after is the same. */
const LEFT_OPEN = 'no QuantizeLinear follows it, and ONNX Runtime moves codes or floats';

export const qdqMoves: Pattern = { ops: MOVES, match };

/** Of several codes no code comes that was there before. */
function mixes(node: GraphNode): boolean {
  return isOnnx(node, 'Resize') && (attribute(node, 'mode')?.s ?? 'nearest') !== 'nearest';
}

async function match(node: GraphNode, context: Context): Promise<Draft[] | null> {
  if (node.domain !== '' || mixes(node)) return null;
  const type = context.typeOf(node.inputs[0]);
  if (type !== null && type !== 'float32') return onCodes(node, type, context);
  const x = await operandOf(node.inputs[0], context);
  if (x.kind !== 'codes') return null;
  const drafts: Draft[] = [];
  for (const [i, output] of node.outputs.entries()) {
    if (output === '') continue;
    const { op, fields, unknown } = await sharedFields(node, context, i);
    const tail = await tailOf(output, context);
    if (!tail.q || tail.clamp) {
      drafts.push({
        at: node,
        nodes: [node],
        name: output,
        op,
        inputs: [x.tensor],
        fields,
        output: null,
        notReplayed: LEFT_OPEN,
      });
      continue;
    }
    const same = sameParams(tail.q, x.q);
    const refused = same ? null : 'its input and output have other parameters';
    const ran = same ? { because: 'it moves codes' } : arithmeticOf([x], tail, context, { refused });
    const notReplayed = unknown ?? (same ? null : `ONNX Runtime runs it in float: ${refused}`);
    const common = { at: node, nodes: [node, ...tail.nodes], name: tail.tensor, op, inputs: [x.tensor], fields };
    drafts.push({ ...common, output: tail.q, reads: [x], ...ran, ...(notReplayed ? { notReplayed } : {}) });
  }
  return drafts;
}

async function onCodes(
  node: GraphNode,
  type: Exclude<Draft['output'], 'float32' | null>,
  context: Context,
): Promise<Draft[]> {
  const drafts: Draft[] = [];
  for (const [i, name] of node.outputs.entries()) {
    if (name === '') continue;
    const { op, fields, unknown } = await sharedFields(node, context, i);
    drafts.push({
      at: node,
      nodes: [node],
      name,
      op,
      inputs: [node.inputs[0]],
      fields,
      output: isOnnx(node, 'MaxPool') && i > 0 ? null : type,
      because: 'it moves codes',
      ...(unknown ? { notReplayed: unknown } : {}),
    });
  }
  return drafts;
}
