/**
 * Conv, Gemm, MatMul between DequantizeLinear and QuantizeLinear, a Relu or Clip in the tail folded in: conv, linear.
 * Without QuantizeLinear Gemm and MatMul still multiply integers and give floats; a Conv is float then.
 */

import { printable } from '../../../text.js';
import { arithmeticOf } from '../arithmetic.js';
import { type Behind, behind, dequantizedBias, notAdded } from '../bias.js';
import type { Context, Draft, Pattern } from '../draft.js';
import { fusedActivation } from '../fusedActivation.js';
import { withFactors } from '../gemm.js';
import { windowsOf } from '../geometry.js';
import { floatOf, type GraphNode, intOf, isOnnx } from '../graph.js';
import { ignoredBiasScale, ignoredBiasZeroPoint } from '../hazards.js';
import { isBetweenCodes, quantizedWeights, roundedBias } from '../loaded.js';
import { ofBlocks, quantizesAgain } from '../nBits/drafts.js';
import { boundsOf, dequantizeOf, isRelu, type Operand, operandOf, rangeOf, type Tail, tailOf } from '../operand.js';
import { type Bias, productFields, type WeightLayout } from '../product.js';
import { codesOf, isRedundant, ofChannel } from '../quantization.js';

export const qdqProduct: Pattern = { ops: ['Conv', 'ConvTranspose', 'Gemm', 'MatMul'], match };

type Codes = Operand & { kind: 'codes' };
type Weights = Operand & { kind: 'weight' };

async function match(node: GraphNode, context: Context): Promise<Draft[] | null> {
  if (node.domain !== '') return null;
  const x = await operandOf(node.inputs[0] ?? '', context);
  const w = await operandOf(node.inputs[1] ?? '', context);
  if (x.kind !== 'codes') return onFloats(node, x, w, context);
  if (w.kind === 'weight' && isWide(w) && !(await behindAgain(node, x, w, context)).again) return null;
  if (w.kind === 'codes') return [await activations(node, x, w, context)];
  const isMatrix = w.kind !== 'float' && (!isOnnx(node, 'Gemm', 'MatMul') || w.constant.shape.length === 2);
  if (w.kind === 'float' || !isMatrix) return null;
  const around = await behind(node, context);
  if (w.kind === 'weight') return product(node, x, w, around, context);
  const isProduct = !isOnnx(node, 'MatMul') || around.added.length > 0;
  if (!isProduct || !isBetweenCodes(around.output, context) || !areInitializers(w, around.bias, context)) return null;
  const codes = await quantizedWeights(w.constant);
  if (!codes) return [quantizedUnread(node, x, around)];
  const drafts = await product(node, x, { kind: 'weight', tensor: w.tensor, ...codes }, around, context);
  return drafts?.map((draft) => ({ ...draft, because: `${draft.because}; ${AT_LOAD}` })) ?? null;
}

const AT_LOAD = 'the file has its weights as floats, which ONNX Runtime quantizes to int8 when it loads the model';

/** Weights that are floats to whatever multiplies them: between dequantized codes they are a product of floats. */
function isWide({ q, constant }: Weights): boolean {
  return q.blockSize > 0 || constant.dtype.bits > 8;
}

/** ONNX Runtime quantizes floats of the file, of Conv and Gemm, where the bias is of such too. */
function areInitializers(w: { readonly tensor: string }, bias: Bias | null, { constants }: Context): boolean {
  const ofCodes = [w, bias].some((one) => one !== null && constants.fromCodes.has(one.tensor));
  return !ofCodes && (bias?.q ?? null) === null;
}

async function onFloats(node: GraphNode, x: Operand, w: Operand, context: Context): Promise<Draft[] | null> {
  if (w.kind !== 'weight') return null;
  const { again, around } = await behindAgain(node, x, w, context);
  return again ? [ofBlocks([node, ...around.added], w, around.bias, again, context)] : null;
}

async function behindAgain(node: GraphNode, x: Operand, w: Weights, context: Context) {
  const around = await behind(node, context);
  return { around, again: quantizesAgain(node, x, w, around, context) };
}

async function product(
  node: GraphNode,
  x: Codes,
  w: Weights,
  around: Behind,
  context: Context,
): Promise<Draft[] | null> {
  const { added } = around;
  const again = quantizesAgain(node, x, w, around, context);
  if (again) return [ofBlocks([node, ...added], w, around.bias, again, context)];
  const rounds = isBetweenCodes(around.output, context);
  const unadded = around.bias && notAdded(around.bias, node);
  const given = around.bias && unadded ? dequantizedBias(around.bias) : around.bias;
  const rounded = rounds && given && !unadded ? roundedBias(given, x.q, w.q) : given;
  const bias = around.tail.q ? given : rounded;
  const scaleOff = biasScaleOff(node, x, w, bias);
  const refused = refusal(node, w, bias) ?? withoutZeroPoint(node, added, context) ?? unadded ?? scaleOff;
  const unfit = refused ?? (around.tail.q === null ? await floatOutput(node, bias, added, context) : null);
  const ran = arithmeticOf([x], around.tail, context, {
    refused: unfit,
    ...(scaleOff && scaleOff === unfit ? { remedy: BIAS_SCALE } : {}),
    noInt8: withoutInt8(node, w, added),
    weights: (await isQuantizedAtRunTime(w, context)) ? { ...w, kind: 'codes' } : w,
  });
  const isFused = ran.arithmetic === 'integers';
  const hazards = isFused ? [...ignoredBiasScale(x.q, w.q, bias), ...ignoredBiasZeroPoint(bias)] : [];
  const groups = isOnnx(node, 'ConvTranspose') ? intOf(node, 'group', 1) : 1;
  const own = withFactors(node, w.q, isFused ? bias && { ...bias, q: null } : rounded, isFused);
  const weight = { tensor: w.tensor, constant: w.constant, q: own.q, layout: layoutOf(node), groups };
  const { fields, notReplayed } = await productFields(weight, own.bias, context);
  const activated = isFused ? codesBehind(around.tail) : await floatsBehind(node, around.tail, context);
  if (!activated) return null;
  const { tail, activation } = activated;
  const shape = isOnnx(node, 'Gemm', 'MatMul') ? LINEAR : windowsOf(node, w.constant.shape, context);
  return [
    {
      at: node,
      nodes: [node, ...added, ...tail.nodes],
      name: tail.tensor,
      op: shape.op,
      inputs: [x.tensor],
      fields: { ...fields, ...shape.fields, activation },
      output: tail.q ?? 'float32',
      reads: [x],
      ...ran,
      ...(hazards.length > 0 ? { hazards } : {}),
      notReplayed: notReplayed ?? shape.unknown ?? own.unknown ?? undefined,
    },
  ];
}

/**
 * A module called twice is exported with an Identity of its weights, which the quantizer quantizes in the graph: codes as of
 * activations, unless their parameters are those that they had, which ONNX Runtime folds. So are parts by bounds that it does not fold.
 */
async function isQuantizedAtRunTime({ tensor, q }: Weights, context: Context): Promise<boolean> {
  const { graph, constants } = context;
  const quantize = graph.makerOf(tensor);
  if (!isOnnx(quantize, 'QuantizeLinear')) return false;
  if (constants.atRun.has(tensor)) return true;
  let maker = graph.makerOf(quantize.inputs[0]);
  while (isOnnx(maker, 'Identity')) maker = graph.makerOf(maker.inputs[0]);
  const before = isOnnx(maker, 'DequantizeLinear') ? await dequantizeOf(maker, context) : null;
  return before !== null && `${before.scale} ${before.zeroPoint}` !== `${q.scale} ${q.zeroPoint}`;
}

const LINEAR = { op: 'linear', fields: {}, unknown: null };

const BIAS_SCALE = 'give the bias the scale of input times weight: quantize it again, or leave it float';

function layoutOf(node: GraphNode): WeightLayout {
  if (isOnnx(node, 'Conv')) return 'conv';
  if (isOnnx(node, 'ConvTranspose')) return 'transposed';
  return isOnnx(node, 'Gemm') && intOf(node, 'transB', 0) === 1 ? 'rows' : 'columns';
}

/** Gemm alone has int8 activations on x86, with int8 weights; a MatMul with a bias behind it becomes one. */
function withoutInt8(node: GraphNode, w: Weights, added: readonly GraphNode[]): string | null {
  if (!isOnnx(node, 'Gemm') && added.length === 0) return node.opType;
  return w.constant.dtype.name === 'uint8' ? 'Gemm with uint8 weights' : null;
}

/** Of all operators Gemm alone needs zero points that are written. */
function withoutZeroPoint(node: GraphNode, added: readonly GraphNode[], { graph }: Context): string | null {
  if (!isOnnx(node, 'Gemm') && added.length === 0) return null;
  const bare = node.inputs.slice(0, 2).find((tensor) => {
    const maker = graph.makerOf(tensor);
    return isOnnx(maker, 'DequantizeLinear') && (maker.inputs[2] ?? '') === '';
  });
  return bare === undefined
    ? null
    : `${printable(bare)} is dequantized without a zero point, which Gemm on codes needs`;
}

/** What the operator cannot be fused with. */
function refusal(node: GraphNode, w: Weights, bias: Bias | null): string | null {
  const name = printable(w.tensor);
  if (isOnnx(node, 'ConvTranspose')) return 'ONNX Runtime has no ConvTranspose on codes';
  if (w.constant.dtype.bits !== 8) return `weight ${name} is ${w.constant.dtype.name}`;
  if ((node.inputs[2] ?? '') !== '' && !bias) return 'its bias is no constant';
  if (!isOnnx(node, 'Gemm')) return null;
  const [alpha, beta] = [floatOf(node, 'alpha', 1), floatOf(node, 'beta', 1)];
  if (intOf(node, 'transA', 0) === 1) return 'transA is 1';
  if (bias && beta !== 1) return `beta is ${beta}`;
  return alpha === 1 || !bias ? null : `alpha is ${alpha}`;
}

/** QLinearConv counts bias codes as if at s_x * s_w: only where they are nearly. Limits as measured. */
function biasScaleOff(node: GraphNode, x: Codes, w: Weights, bias: Bias | null): string | null {
  if (!isOnnx(node, 'Conv') || !bias?.q) return null;
  const { scale } = bias.q;
  for (let i = 0; i < Math.max(scale.length, w.q.scale.length); i++) {
    const product = x.q.scale[0] * ofChannel(w.q.scale, i);
    const off = Math.abs(ofChannel(scale, i) - product);
    if (off <= 1e-6 + 0.01 * product) continue;
    return `the bias scale ${ofChannel(scale, i)} of channel ${i} is not that of input times weight, ${product}`;
  }
  return null;
}

/** Without a QuantizeLinear of its own a Gemm or MatMul may still multiply integers; null where it does. */
async function floatOutput(node: GraphNode, bias: Bias | null, added: readonly GraphNode[], context: Context) {
  const [output] = (added.at(-1) ?? node).outputs;
  const readers = context.graph.readersOf(output);
  const given = context.graph.isOutput(output) ? 'the graph gives its float output out' : null;
  const several = readers.length > 1 ? `${readers.length} nodes read its float output` : given;
  if (isOnnx(node, 'Conv', 'ConvTranspose')) return several ?? 'no QuantizeLinear follows it';
  if (bias && !bias.q) return 'its bias is float and no QuantizeLinear follows it';
  for (const reader of readers) if (await quantizes(reader, context)) return several;
  return null;
}

/** Also a Relu or Clip that is left out, since the clamp of the codes behind it does the same. */
async function quantizes(reader: GraphNode, context: Context): Promise<boolean> {
  if (isOnnx(reader, 'QuantizeLinear')) return true;
  const bounds = isOnnx(reader, 'Relu', 'Clip') ? await boundsOf(reader, context) : null;
  const { q } = bounds ? await tailOf(reader.outputs[0], context) : { q: null };
  return bounds !== null && q !== null && isRedundant(q, bounds.lower, bounds.upper);
}

interface Activated {
  readonly tail: Pick<Tail, 'nodes' | 'tensor' | 'q'>;
  readonly activation: unknown;
}

/** A ReLU that the clamp of the codes makes is none of its own. */
function codesBehind(tail: Tail): Activated {
  const { q, clamp } = tail;
  if (!q || !clamp || isRedundant(q, clamp.lower, clamp.upper)) return { tail, activation: 'none' };
  const activation = isRelu(clamp) ? 'relu' : { clamp: codesOf(q, clamp.lower, clamp.upper) };
  return { tail, activation };
}

/** Without codes behind it a float Conv or Gemm takes in the activation; null: one that only a product of floats has. */
async function floatsBehind(node: GraphNode, tail: Tail, context: Context): Promise<Activated | null> {
  if (tail.q) return codesBehind(tail);
  const fused = await fusedActivation(node, tail.tensor, context);
  if (!fused) return { tail, activation: 'none' };
  const { nodes, tensor, fields } = fused;
  return fields.activation === 'relu' ? { tail: { nodes, tensor, q: null }, activation: 'relu' } : null;
}

async function activations(node: GraphNode, x: Codes, w: Codes, context: Context): Promise<Draft> {
  const tail = await tailOf(node.outputs[0], context);
  const takes = isOnnx(node, 'Gemm') && intOf(node, 'transB', 0) === 1 ? 'transB is 1' : null;
  const refused = isOnnx(node, 'Conv', 'ConvTranspose') ? 'its weights are no constant' : takes;
  const ran = arithmeticOf([x, w], tail, context, { refused, noInt8: node.opType });
  return {
    at: node,
    nodes: [node, ...tail.nodes],
    name: tail.tensor,
    op: isOnnx(node, 'Conv', 'ConvTranspose') ? 'conv' : 'matmul',
    inputs: [x.tensor, w.tensor],
    output: tail.q ?? 'float32',
    ...rangeOf(tail),
    reads: [x, w],
    ...ran,
    notReplayed: refused ?? undefined,
  };
}

/** Its range is not known before all of it is read. */
function quantizedUnread(node: GraphNode, x: Codes, { added, tail }: Behind): Draft {
  return {
    at: node,
    nodes: [node, ...added, ...tail.nodes],
    name: tail.tensor,
    op: isOnnx(node, 'Gemm', 'MatMul') ? 'linear' : 'conv',
    inputs: [x.tensor],
    output: tail.q ?? 'float32',
    reads: [x],
    notReplayed:
      'its weights are floats that ONNX Runtime quantizes when it loads the model, more of them than are looked at',
  };
}
