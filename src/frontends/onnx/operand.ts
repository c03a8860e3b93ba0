/** What a float operator between DequantizeLinear and QuantizeLinear reads and gives, in codes. */
import { onnxDtype, UINT8 } from '../../load/onnx/dtypes.js';
import type { Constant } from './constants.js';
import type { Context } from './draft.js';
import { attribute, type GraphNode, intOf, isOnnx } from './graph.js';
import { codesOf, isRedundant, type Quantization, quantizationOf } from './quantization.js';

export type Operand =
  /** Codes of a tensor, dequantized. */
  | { readonly kind: 'codes'; readonly tensor: string; readonly q: Quantization }
  /** Constant codes, dequantized. */
  | { readonly kind: 'weight'; readonly tensor: string; readonly constant: Constant; readonly q: Quantization }
  | { readonly kind: 'constant'; readonly tensor: string; readonly constant: Constant }
  | { readonly kind: 'float'; readonly tensor: string };

export async function operandOf(tensor: string, context: Context): Promise<Operand> {
  const { graph, constants } = context;
  const constant = constants.get(tensor);
  if (constant) return { kind: 'constant', tensor, constant };
  const maker = graph.makerOf(tensor);
  const q = isOnnx(maker, 'DequantizeLinear') ? await dequantizeOf(maker, context) : null;
  if (!q) return { kind: 'float', tensor };
  const [codes] = maker!.inputs;
  const weight = constants.get(codes);
  return weight ? { kind: 'weight', tensor: codes, constant: weight, q } : { kind: 'codes', tensor: codes, q };
}

/** Real bounds of a Relu or Clip; infinite where it has none. */
export interface Bounds {
  readonly lower: number;
  readonly upper: number;
}

export function isRelu({ lower, upper }: Bounds): boolean {
  return lower === 0 && upper === Number.POSITIVE_INFINITY;
}

/** model.json's. */
export function boundFields({ lower, upper }: Bounds): { min: number | null; max: number | null } {
  const finite = (bound: number) => (Number.isFinite(bound) ? bound : null);
  return { min: finite(lower), max: finite(upper) };
}

/** Relu or Clip behind an operator, and the QuantizeLinear at the end, where each reads only the one before. */
export interface Tail {
  readonly nodes: readonly GraphNode[];
  /** The tensor that comes out: codes where quantized, else a float. */
  readonly tensor: string;
  readonly q: Quantization | null;
  /** Real bounds of the Relu or Clip between; null without. */
  readonly clamp: (Bounds & { readonly what: string }) | null;
}

/** What a Relu or Clip in the tail leaves of the codes; nothing where their own clamp does the same. */
export function rangeOf({ q, clamp }: Tail): { range?: readonly [number, number] } {
  return q && clamp && !isRedundant(q, clamp.lower, clamp.upper) ? { range: codesOf(q, clamp.lower, clamp.upper) } : {};
}

/** In a row: each node of 20,000 walked all that follow. */
const MOST_CLAMPS = 16;

export async function tailOf(tensor: string, context: Context): Promise<Tail> {
  const { graph } = context;
  const nodes: GraphNode[] = [];
  let clamp = null as Tail['clamp'];
  let end = tensor;
  for (let reader = graph.onlyReader(end); isOnnx(reader, 'Relu', 'Clip'); reader = graph.onlyReader(end)) {
    if (nodes.length === MOST_CLAMPS) break;
    const bounds = reader.inputs[0] === end ? await boundsOf(reader, context) : null;
    if (!bounds) break;
    clamp = {
      lower: Math.max(clamp?.lower ?? Number.NEGATIVE_INFINITY, bounds.lower),
      upper: Math.min(clamp?.upper ?? Number.POSITIVE_INFINITY, bounds.upper),
      what: reader.opType,
    };
    nodes.push(reader);
    end = reader.outputs[0];
  }
  const quantize = graph.onlyReader(end);
  const q =
    isOnnx(quantize, 'QuantizeLinear') && quantize.inputs[0] === end ? await quantizeOf(quantize, context) : null;
  if (q) return { nodes: [...nodes, quantize!], tensor: quantize!.outputs[0], q, clamp };
  return { nodes: [], tensor, q: null, clamp: null };
}

/** How a DequantizeLinear reads codes; null where that is not known before the graph runs. */
export async function dequantizeOf(node: GraphNode, { constants, typeOf }: Context): Promise<Quantization | null> {
  const [codes, scale, zeroPoint] = node.inputs;
  const made = typeOf(codes);
  const dtype = constants.get(codes)?.dtype ?? (made && made !== 'float32' ? made.dtype : undefined);
  return quantizationOf(constants, scale, zeroPoint, { node, dtype });
}

/** Null where a QuantizeLinear's scale is not one constant float32 number. */
export async function quantizeOf(node: GraphNode, { constants }: Context): Promise<Quantization | null> {
  const dtype = onnxDtype(intOf(node, 'output_dtype', UINT8) || UINT8); // where there is no zero point
  const q = await quantizationOf(constants, node.inputs[1], node.inputs[2], { node, dtype });
  return q && q.scale.length === 1 && q.blockSize === 0 ? q : null;
}

/** Null where a bound is not constant. */
export async function boundsOf(node: GraphNode, { constants }: Context): Promise<Bounds | null> {
  if (node.opType === 'Relu') return { lower: 0, upper: Number.POSITIVE_INFINITY };
  const bound = async (i: number, name: string, missing: number) => {
    const tensor = node.inputs[i] ?? '';
    if (tensor === '') return attribute(node, name)?.f ?? missing;
    return constants.get(tensor) ? ((await constants.numbers(tensor))[0] ?? missing) : Number.NaN;
  };
  const lower = await bound(1, 'min', Number.NEGATIVE_INFINITY);
  const upper = await bound(2, 'max', Number.POSITIVE_INFINITY);
  return Number.isNaN(lower) || Number.isNaN(upper) ? null : { lower, upper };
}
