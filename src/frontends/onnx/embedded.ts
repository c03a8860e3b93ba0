/** Codes of a table or of a graph's input: who reads them, behind what moves them, says what they stand for. */

import { INT8, INT32, INT64, type OnnxDtype, onnxDtype, UINT8 } from '../../load/onnx/dtypes.js';
import type { Constants } from './constants.js';
import { type Graph, type GraphNode, isOnnx } from './graph.js';
import { BOOLEAN, INDEX, type Quantization, quantizationOf } from './quantization.js';

const MOVES = ['Transpose', 'Reshape', 'Squeeze', 'Unsqueeze', 'Flatten', 'Slice', 'Expand', 'MaxPool', 'Pad'];

/** Null: of no table of codes, or nobody says. */
export async function embeddedCodes(node: GraphNode, graph: Graph, constants: Constants): Promise<Quantization | null> {
  const table = isOnnx(node, 'Gather') ? constants.get(node.inputs[0]) : null;
  if (!table || !/^u?int8$/.test(table.dtype.name)) return null;
  return behindMoves(node.outputs[0], table.dtype, graph, constants);
}

/** Of an input of integers that nothing dequantizes at once, as an image or a mask is; of what nobody says, the codes are numbers. */
export async function givenCodes(
  { name, elemType }: { readonly name: string; readonly elemType: number },
  graph: Graph,
  constants: Constants,
): Promise<Quantization | null> {
  const isMoved = graph.readersOf(name).every((reader) => isOnnx(reader, 'Cast', ...MOVES));
  if (isMoved && [INT32, INT64].includes(elemType)) return INDEX;
  if (!isMoved || ![UINT8, INT8].includes(elemType)) return null;
  const dtype = onnxDtype(elemType);
  return (await behindMoves(name, dtype, graph, constants)) ?? { ...BOOLEAN, dtype };
}

async function behindMoves(
  codes: string,
  dtype: OnnxDtype,
  graph: Graph,
  constants: Constants,
): Promise<Quantization | null> {
  const moved = [codes];
  for (const tensor of moved) {
    for (const reader of graph.readersOf(tensor)) {
      const at = reader.inputs.indexOf(tensor);
      const reads = isOnnx(reader, 'DequantizeLinear') || /^Q(Linear|Gemm)/.test(reader.opType);
      const [scale = '', zeroPoint] = reader.inputs.slice(at + 1, at + 3);
      const q = reads && scale ? await quantizationOf(constants, scale, zeroPoint, { dtype }) : null;
      if (q) return q;
      if (at === 0 && isOnnx(reader, ...MOVES)) moved.push(reader.outputs[0]);
    }
  }
  return null;
}
