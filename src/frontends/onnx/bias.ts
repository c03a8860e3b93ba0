/** Where the bias of Conv, Gemm and MatMul stands, and what follows. */

import { FLOAT32, onnxDtype } from '../../load/onnx/dtypes.js';
import { float32s } from '../../numeric/array.js';
import { f32 } from '../../numeric/float.js';
import { derived } from './derived.js';
import { dimsOf } from './dims.js';
import type { Context } from './draft.js';
import { type GraphNode, isOnnx, otherInput } from './graph.js';
import { operandOf, type Tail, tailOf } from './operand.js';
import type { Bias } from './product.js';
import { ofChannel } from './quantization.js';

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

/** Why a bias of codes is none that ONNX Runtime adds to sums: it is dequantized then. Null: it is one. */
export function notAdded({ constant, q }: Bias, node: GraphNode): string | null {
  if (!q) return null;
  if (constant.dtype.name !== 'int32')
    return `its bias is ${constant.dtype.name}, and only int32 ones are added to sums`;
  // QGemm adds the codes all the same
  return isOnnx(node, 'Conv', 'ConvTranspose') && q.zeroPoint.some((zeroPoint) => zeroPoint !== 0)
    ? 'its bias has a zero point'
    : null;
}

/** The floats that its codes stand for. */
export function dequantizedBias({ tensor, constant, q }: Bias): Bias {
  const { source, shape } = constant;
  if (!source || !q) return { tensor, constant, q };
  const real = (code: number, n: number) => f32(f32(code - ofChannel(q.zeroPoint, n)) * f32(ofChannel(q.scale, n)));
  const reals = async () => float32s(await source.read(), (code, n) => real(Number(code), n));
  const floats = derived(`${tensor}.real`, 'float32', shape, reals);
  return { tensor: floats.key, constant: { dtype: onnxDtype(FLOAT32), shape, source: floats }, q: null };
}

/** With the Add behind it, where its operand is a matrix, or has more axes and all of them are known. */
function becomesGemm(node: GraphNode, context: Context): boolean {
  const dims = dimsOf(node.inputs[0], context);
  return !dims || dims.length === 2 || dims.every((dim) => dim !== null);
}
