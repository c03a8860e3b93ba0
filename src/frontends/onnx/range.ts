/** Range over a length that the file declares: the positions of a transformer, which are constant. */
import { INT64, onnxDtype } from '../../load/onnx/dtypes.js';
import type { Constant, Constants } from './constants.js';
import { derived } from './derived.js';
import type { Graph, GraphNode } from './graph.js';
import { shapeValues } from './shapeValues.js';

/** More places than any sequence has. */
const MOST = 1 << 17;

/** Null where its bounds are not known before the graph runs, or are floats. */
export async function rangeOf(node: GraphNode, graph: Graph, constants: Constants): Promise<Constant | null> {
  const [output] = node.outputs;
  const given = await Promise.all(node.inputs.map((input) => shapeValues(input, { graph, constants })));
  const [start, limit, delta] = given.map((values) => values?.[0] ?? null);
  const isFloat = node.inputs.some((input) => constants.get(input)?.dtype.name.startsWith('float'));
  if (start === null || limit === null || !delta || isFloat) return null;
  const count = Math.max(0, Math.ceil((limit - start) / delta));
  if (count > MOST) return null;
  const numbers = async () => Float64Array.from({ length: count }, (_, i) => start + i * delta);
  return { dtype: onnxDtype(INT64), shape: [count], source: derived(output, 'int64', [count], numbers) };
}
