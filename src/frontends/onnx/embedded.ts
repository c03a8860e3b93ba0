/** Codes that are looked up in a table of the file: who reads them, behind what moves them, says what they stand for. */
import type { Constants } from './constants.js';
import { type Graph, type GraphNode, isOnnx } from './graph.js';
import { type Quantization, quantizationOf } from './quantization.js';

const MOVES = ['Transpose', 'Reshape', 'Squeeze', 'Unsqueeze', 'Flatten', 'Slice', 'Expand'];

/** Null: of no table of codes, or nobody says. */
export async function embeddedCodes(node: GraphNode, graph: Graph, constants: Constants): Promise<Quantization | null> {
  const table = isOnnx(node, 'Gather') ? constants.get(node.inputs[0]) : null;
  if (!table || !/^u?int8$/.test(table.dtype.name)) return null;
  const moved = [node.outputs[0]];
  for (const tensor of moved) {
    for (const reader of graph.readersOf(tensor)) {
      const at = reader.inputs.indexOf(tensor);
      const reads = isOnnx(reader, 'DequantizeLinear') || /^Q(Linear|Gemm)/.test(reader.opType);
      const [scale = '', zeroPoint] = reader.inputs.slice(at + 1, at + 3);
      const q = reads && scale ? await quantizationOf(constants, scale, zeroPoint, { dtype: table.dtype }) : null;
      if (q) return q;
      if (at === 0 && isOnnx(reader, ...MOVES)) moved.push(reader.outputs[0]);
    }
  }
  return null;
}
