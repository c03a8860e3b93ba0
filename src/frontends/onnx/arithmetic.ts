/**
 * Integers or float: which of the two ONNX Runtime 1.32 runs a group of QDQ nodes with, on x86 with default options.
 * Each answer is a sentence that can be put behind "because".
 */
import { printable } from '../../text.js';
import { RANGE_OF } from './codes.js';
import type { Context } from './draft.js';
import { isOnnx } from './graph.js';
import type { Tail } from './operand.js';
import { isRedundant, type Quantization } from './quantization.js';

export interface Arithmetic {
  readonly arithmetic: 'integers' | 'float';
  readonly because: string;
}

/** The type that kernels see: int8 is rewritten to uint8 tensor by tensor. */
type Kind = 'uint8' | 'int8';

function kindOf({ tensor, q, kind }: Operand, context: Context): Kind {
  if (q.dtype.name === 'uint8') return 'uint8';
  return kind !== 'weight' && isRewritten(tensor, context) ? 'uint8' : 'int8';
}

/** int8 codes become uint8 where one DequantizeLinear reads them and has one reader at most. */
function isRewritten(tensor: string, { graph }: Context): boolean {
  const reader = graph.onlyReader(tensor);
  return isOnnx(reader, 'DequantizeLinear') && graph.readersOf(reader.outputs[0]).length <= 1;
}

export interface Operand {
  readonly tensor: string;
  readonly q: Quantization;
  /** Constant codes are not rewritten. */
  readonly kind?: string;
}

/**
 * `reads`: the quantized operands; what the operator itself cannot take comes as `refused`; `noInt8`: its name where its kernel on
 * x86 has no int8 activations.
 */
export function arithmeticOf(
  reads: readonly Operand[],
  tail: Tail,
  context: Context,
  refused: string | null,
  noInt8: string | null = null,
): Arithmetic {
  const float = (because: string): Arithmetic => ({ arithmetic: 'float', because });
  const given: Operand[] = tail.q ? [{ tensor: tail.tensor, q: tail.q }] : [];
  const all = [...reads, ...given];
  const wide = all.find(({ q }) => !['uint8', 'int8'].includes(q.dtype.name));
  if (wide) return float(`${printable(wide.tensor)} has ${wide.q.dtype.name} codes, and only 8-bit ones are fused`);
  if (refused) return float(refused);
  const redundant = tail.q && tail.clamp ? isRedundant(tail.q, tail.clamp.lower, tail.clamp.upper) : true;
  if (!redundant) return float(notRedundant(tail));
  const kinds = all.map((operand) => kindOf(operand, context));
  const kept = all.find((_, i) => kinds[i] === 'int8');
  const mixed = new Set(kinds).size > 1;
  if (kept && (mixed || noInt8)) {
    const reason = kept.kind === 'weight' ? 'is constant' : 'has several readers, or the graph gives it out';
    const why = `${printable(kept.tensor)} stays int8 (it ${reason})`;
    return float(mixed ? `${why}, the others are rewritten to uint8` : `${why}, which ${noInt8} does not take on x86`);
  }
  return { arithmetic: 'integers', because: 'all of its codes are 8 bits wide and one scale quantizes its output' };
}

function notRedundant({ q, clamp }: Tail): string {
  const [lowest] = RANGE_OF.get(q!.dtype.name) ?? [0];
  const [zeroPoint] = q!.zeroPoint;
  return clamp!.what === 'Relu'
    ? `a Relu stands before QuantizeLinear, whose zero point ${zeroPoint} is above ${lowest}: its clamp does not replace the Relu`
    : `a ${clamp!.what} stands before QuantizeLinear and its bounds are not those of the codes`;
}
