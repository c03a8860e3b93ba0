/** Where the bias of Conv, Gemm and MatMul stands, and what follows. */

import { dimsOf } from './dims.js';
import type { Context } from './draft.js';
import { type GraphNode, isOnnx, otherInput } from './graph.js';
import { operandOf, type Tail, tailOf } from './operand.js';
import type { Bias } from './product.js';

export interface Behind {
  readonly bias: Bias | null;
  /** A MatMul's Add, which makes it a Gemm. */
  readonly added: readonly GraphNode[];
  /** What comes out, bias included. */
  readonly output: string;
  readonly tail: Tail;
}

/** A MatMul's bias is an Add behind it. */
export async function behind(node: GraphNode, context: Context): Promise<Behind> {
  const [output] = node.outputs;
  const add = isOnnx(node, 'MatMul') && becomesGemm(node, context) ? context.graph.onlyReader(output) : null;
  const own = isOnnx(add, 'Add') ? otherInput(add, output) : '';
  const tensor = isOnnx(node, 'MatMul') ? own : (node.inputs[2] ?? '');
  const bias = tensor === '' ? null : await constantBias(tensor, context);
  const added = isOnnx(add, 'Add') && bias ? [add] : [];
  const end = added.at(-1)?.outputs[0] ?? output;
  return { bias, added, output: end, tail: await tailOf(end, context) };
}

async function constantBias(tensor: string, context: Context): Promise<Bias | null> {
  const b = await operandOf(tensor, context);
  if (b.kind !== 'weight' && b.kind !== 'constant') return null;
  return { tensor: b.tensor, constant: b.constant, q: b.kind === 'weight' ? b.q : null };
}

/** With the Add behind it, where its operand is a matrix, or has more axes and all of them are known. */
function becomesGemm(node: GraphNode, context: Context): boolean {
  const dims = dimsOf(node.inputs[0], context);
  return !dims || dims.length === 2 || dims.every((dim) => dim !== null);
}
