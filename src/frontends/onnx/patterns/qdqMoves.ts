/** Operators that move codes or choose among them: on codes as they are, or between DequantizeLinear and QuantizeLinear. */
import type { Context, Draft, Pattern } from '../draft.js';
import { type GraphNode, isOnnx } from '../graph.js';
import { operandOf, rangeOf, tailOf } from '../operand.js';
import { sameParams } from '../quantization.js';
import { mixes } from '../resized.js';
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
  'Pad',
];

/** The largest of codes is that of the reals: what chooses among them may be replayed on codes, whatever comes out. */
const CHOOSES = ['MaxPool', 'Resize', 'ReduceMax', 'ReduceMin'];

export const qdqMoves: Pattern = { ops: MOVES, match };

async function match(node: GraphNode, context: Context): Promise<Draft[] | null> {
  if (node.domain !== '') return null;
  const type = context.typeOf(node.inputs[0]);
  if (type !== null && type !== 'float32') return onCodes(node, type, context);
  if (mixes(node)) return null;
  const x = await operandOf(node.inputs[0], context);
  if (x.kind !== 'codes') return null;
  const tails = await Promise.all(node.outputs.map((output) => (output === '' ? null : tailOf(output, context))));
  const movesCodes = tails.every((tail) => !tail || (tail.q && !tail.clamp && sameParams(tail.q, x.q)));
  // otherwise what moves are reals: each node is a layer of its own
  if (!movesCodes && !(await rescales(node, context))) return null;
  const drafts: Draft[] = [];
  for (const [i, tail] of tails.entries()) {
    if (!tail) continue;
    const { op, fields, unknown } = await sharedFields(node, context, i);
    const common = { at: node, nodes: [node, ...tail.nodes], name: tail.tensor, op, inputs: [x.tensor], fields };
    const output = tail.q ?? ('float32' as const);
    const ran = movesCodes ? { because: 'it moves codes' } : { ...IN_FLOAT, ...rangeOf(tail) };
    drafts.push({ ...common, output, reads: [x], ...ran, ...(unknown ? { notReplayed: unknown } : {}) });
  }
  return drafts;
}

async function rescales(node: GraphNode, context: Context): Promise<boolean> {
  if (!isOnnx(node, ...CHOOSES)) return false;
  const { op } = await sharedFields(node, context);
  return op !== 'index_select' && op !== 'identity';
}

const IN_FLOAT = { arithmetic: 'float', because: 'no codes of the scale that it reads come out' } as const;

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
      because: mixes(node) ? 'it mixes codes as they are' : 'it moves codes',
      ...(unknown ? { notReplayed: unknown } : {}),
    });
  }
  return drafts;
}
