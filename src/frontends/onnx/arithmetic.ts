/**
 * Integers or float: which of the two ONNX Runtime 1.32 runs a group of QDQ nodes with, on x86 with default options.
 * Each answer is a sentence that can be put behind "because".
 */
import type { RanAs } from '../../nouns/model.js';
import { printable } from '../../text.js';
import { RANGE_OF } from './codes.js';
import type { Context } from './draft.js';
import { isOnnx } from './graph.js';
import type { Tail } from './operand.js';
import { isRedundant, type Quantization } from './quantization.js';

export interface Arithmetic {
  readonly arithmetic: 'integers' | 'float';
  readonly because: string;
  /** What would make it integers, in ONNX Runtime's words. */
  readonly remedy?: string;
  readonly ranAs?: RanAs;
}

/** The type that kernels see: int8 is rewritten to uint8 tensor by tensor. */
type Kind = 'uint8' | 'int8';

function kindOf({ tensor, q, kind }: Operand, context: Context): Kind {
  if (q.dtype.name === 'uint8') return 'uint8';
  return kind !== 'weight' && !context.session.keepsInt8 && isRewritten(tensor, context) ? 'uint8' : 'int8';
}

/** int8 codes become uint8 where one DequantizeLinear reads them and has one reader at most. */
function isRewritten(tensor: string, { graph, session: { added } }: Context): boolean {
  const reader = graph.onlyReader(tensor);
  if (!isOnnx(reader, 'DequantizeLinear') || added.has(tensor)) return false;
  const [dequantized] = reader.outputs;
  return graph.readersOf(dequantized).length + (added.has(dequantized) ? 1 : 0) <= 1;
}

export interface Operand {
  readonly tensor: string;
  readonly q: Quantization;
  /** Constant codes are not rewritten. */
  readonly kind?: string;
}

/** What the operator itself decides. */
export interface OfOperator {
  /** What it cannot take; null: nothing. */
  readonly refused: string | null;
  /** What would make it take it. */
  readonly remedy?: string;
  /** Its name where its kernel on x86 has no int8 activations. */
  readonly noInt8?: string | null;
  /** Of a product. */
  readonly weights?: Operand;
}

const EIGHT_BITS = 'quantize activations with 8 bits (activation_type=QuantType.QUInt8)';
const FUSE = 'optimize at ORT_ENABLE_EXTENDED or ORT_ENABLE_ALL, without session.disable_quant_qdq';
const ADDED = 'was added to the outputs of the model, which keeps ONNX Runtime from fusing';
const CAPTURE = 'capture the graph that runs, with qdiff run or the file that qdiff exporter onnx prints';
const REDUNDANT =
  "give the output the lowest code as zero point (asymmetric activations), or quantize with extra_options={'ActivationSymmetric': True}, which puts a QuantizeLinear before the Relu";
const UINT8 = 'set session.qdqisint8allowed=1, or quantize activations as uint8 (activation_type=QuantType.QUInt8)';

/** `reads`: the quantized operands. */
export function arithmeticOf(
  reads: readonly Operand[],
  tail: Tail,
  context: Context,
  { refused, remedy, noInt8 = null, weights }: OfOperator,
): Arithmetic {
  const { session } = context;
  const float = (because: string, remedy?: string): Arithmetic => ({
    arithmetic: 'float',
    because,
    ...(remedy ? { remedy } : {}),
  });
  const written: Operand[] = tail.q ? [{ tensor: tail.tensor, q: tail.q }] : [];
  const all = [...reads, ...written];
  const wide = all.find(({ q }) => !['uint8', 'int8'].includes(q.dtype.name));
  if (wide)
    return float(`${printable(wide.tensor)} has ${wide.q.dtype.name} codes, and only 8-bit ones are fused`, EIGHT_BITS);
  if (session.unfused) return float(session.unfused, FUSE);
  const given = tail.nodes.map(({ inputs }) => inputs[0]).find((tensor) => session.added.has(tensor));
  if (given !== undefined) return float(`${printable(given)} ${ADDED}`, CAPTURE);
  if (refused) return float(refused, remedy);
  const computed = tail.nodes.map(({ inputs }) => inputs[0]).find((tensor) => session.unfusedAt.has(tensor));
  if (computed !== undefined) return float(`the run computed ${printable(computed)}, which no fused one does`);
  const redundant = tail.q && tail.clamp ? isRedundant(tail.q, tail.clamp.lower, tail.clamp.upper) : true;
  if (!redundant) return float(notRedundant(tail), REDUNDANT);
  const kinds = all.map((operand) => kindOf(operand, context));
  const kept = all.find((_, i) => kinds[i] === 'int8');
  const mixed = new Set(kinds).size > 1;
  if (kept && (mixed || (noInt8 && !session.keepsInt8))) return float(notRewritten(kept, mixed ? null : noInt8), UINT8);
  const [codes] = kinds;
  return {
    arithmetic: 'integers',
    because: 'all of its codes are 8 bits wide and one scale quantizes its output',
    ranAs: { codes, weights: weights ? weightKind(weights, context) : codes },
  };
}

function weightKind(weights: Operand, context: Context): Kind {
  return kindOf(weights, context) === 'uint8' ? 'uint8' : kernelWeights(weights.q.dtype, context);
}

/** The type of weights that kernels see, as they are stored. */
export function kernelWeights(dtype: Quantization['dtype'], { session }: Context): Kind {
  return dtype.name === 'uint8' || session.exactWeights ? 'uint8' : 'int8';
}

function notRewritten({ tensor, kind }: Operand, noInt8: string | null): string {
  const reason = kind === 'weight' ? 'is constant' : 'has several readers, or the graph gives it out';
  const why = `${printable(tensor)} stays int8 (it ${reason})`;
  return noInt8 ? `${why}, which ${noInt8} does not take on x86` : `${why}, the others are rewritten to uint8`;
}

function notRedundant({ q, clamp }: Tail): string {
  const [lowest] = RANGE_OF.get(q!.dtype.name) ?? [0];
  const [zeroPoint] = q!.zeroPoint;
  return clamp!.what === 'Relu'
    ? `a Relu stands before QuantizeLinear, whose zero point ${zeroPoint} is above ${lowest}: its clamp does not replace the Relu`
    : `a ${clamp!.what} stands before QuantizeLinear and its bounds are not those of the codes`;
}
