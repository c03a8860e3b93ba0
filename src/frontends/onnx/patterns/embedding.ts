/** Rows of a table of the file, by indices that are known when it runs: a transformer's words. */
import { sizeOf } from '../../../tensor/shape.js';
import type { Constant } from '../constants.js';
import { reshaped } from '../derived.js';
import { dimsOf } from '../dims.js';
import type { Context, Draft, Pattern } from '../draft.js';
import { type GraphNode, intOf, isOnnx } from '../graph.js';
import { operandOf, type Tail, tailOf } from '../operand.js';
import { isIndex, type Quantization, sameParams } from '../quantization.js';

export const embedding: Pattern = { ops: ['Gather'], match };

async function match(node: GraphNode, context: Context): Promise<Draft[] | null> {
  const [data, indices = ''] = node.inputs;
  const index = context.typeOf(indices);
  if (!isOnnx(node, 'Gather') || intOf(node, 'axis', 0) !== 0 || context.constants.get(indices)) return null;
  if (index === null || index === 'float32' || !isIndex(index)) return null;
  const found = await tableOf(node, context);
  if (found?.table.shape.length !== 2 || !found.table.source) return null;
  const { table, q, tail } = found;
  const [, size] = table.shape;
  const name = tail?.tensor ?? node.outputs[0];
  const rows = context.arrays.add(`${data}.rows`, reshaped(`${data}.rows`, table.source!, [sizeOf(table.shape)]));
  const codes = q && { weight_scale: q.scale[0], weight_zero_point: q.zeroPoint[0] };
  const fields = {
    weight: rows,
    weight_dtype: table.dtype.name,
    ...codes,
    embedding_dim: size,
    one: dimsOf(indices, context.asRun)?.length === 1,
  };
  const nodes = [node, ...(tail?.nodes ?? [])];
  return [
    {
      at: node,
      nodes,
      name,
      op: 'embedding',
      inputs: [indices],
      fields,
      output: q ?? 'float32',
      because: 'it moves rows',
    },
  ];
}

interface Table {
  readonly table: Constant;
  /** Of codes, which come out as they are. */
  readonly q: Quantization | null;
  readonly tail?: Tail;
}

async function tableOf({ inputs: [data], outputs: [output] }: GraphNode, context: Context): Promise<Table | null> {
  const read = await operandOf(data, context);
  if (read.kind === 'constant') {
    const q = context.typeOf(output);
    const { constant } = read;
    if (constant.dtype.name === 'float32') return { table: constant, q: null };
    return q && q !== 'float32' && q.dtype === constant.dtype ? { table: constant, q } : null;
  }
  if (read.kind !== 'weight') return null;
  const tail = await tailOf(output, context);
  if (tail.q && !tail.clamp && sameParams(tail.q, read.q)) return { table: read.constant, q: tail.q, tail };
  const table = context.constants.real(data);
  return table && { table, q: null };
}
