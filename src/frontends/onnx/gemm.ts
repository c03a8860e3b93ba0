/** Gemm's alpha and beta, which model.json has no fields for: they are in the scale of the weights, and in the numbers of the bias. */
import { float32s } from '../../numeric/array.js';
import { f32, isPowerOfTwo } from '../../numeric/float.js';
import { derived } from './derived.js';
import { floatOf, type GraphNode } from './graph.js';
import type { Bias } from './product.js';
import type { Quantization } from './quantization.js';

export interface Factored {
  readonly q: Quantization;
  readonly bias: Bias | null;
  /** What of them cannot be put there; null: all is. */
  readonly unknown: string | null;
}

/** inIntegers: the kernel multiplies f32(f32(alpha * sx) * sw), which in another order is the same for powers of two alone. */
export function withFactors(node: GraphNode, q: Quantization, bias: Bias | null, inIntegers: boolean): Factored {
  const isGemm = ['Gemm', 'QGemm'].includes(node.opType);
  const [alpha, beta] = isGemm ? [floatOf(node, 'alpha', 1), floatOf(node, 'beta', 1)] : [1, 1];
  const unknown =
    !(alpha > 0) || (inIntegers && !isPowerOfTwo(alpha))
      ? `alpha is ${alpha}`
      : bias && !(beta > 0)
        ? `beta is ${beta}`
        : null;
  if (unknown) return { q, bias, unknown };
  const scale = alpha === 1 ? q.scale : q.scale.map((own) => f32(alpha * own));
  return { q: { ...q, scale }, bias: bias && beta !== 1 ? times(bias, beta) : bias, unknown: null };
}

function times({ tensor, constant, q }: Bias, beta: number): Bias {
  const { source } = constant;
  if (q) return { tensor, constant, q: { ...q, scale: q.scale.map((own) => f32(beta * own)) } };
  if (!source || constant.dtype.name !== 'float32') return { tensor, constant, q };
  const scaled = async () => float32s(await source.read(), (real) => f32(beta * Number(real)));
  return { tensor, constant: { ...constant, source: derived(tensor, 'float32', constant.shape, scaled) }, q };
}
