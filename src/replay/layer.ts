import { stepsOf } from '../kernels/kernel.js';
import type { Matrix, NamedArrays, NumericArray } from '../nouns/array.js';
import type { Call, Codes, Elementwise, Fast, Kernel, OpSteps, Product, ProductSteps } from '../nouns/kernel.js';
import {
  type ElementwiseLayer,
  isElementwise,
  isLayout,
  isProduct,
  isState,
  isTensor,
  type Layer,
  type ProductForm,
  type ProductLayer,
} from '../nouns/model.js';
import { isQuantized, type LayerShapes, type QuantParams, quantizedParams, type ValueParams } from '../nouns/value.js';
import type { PlacedPatch } from '../nouns/window.js';
import { int32s } from '../numeric/array.js';
import { rangeOfRow } from '../numeric/extremes.js';
import { sameScale } from '../numeric/float.js';
import { opByName } from '../ops/named.js';
import { replayElementwise } from './elementwise.js';
import { replayLayout } from './layout.js';
import { replayPatches } from './patches.js';
import { replayProduct } from './product.js';
import { NO_SUMS, type Replayed } from './replayed.js';
import { rowsAlike } from './rowsAlike.js';

/** A layer ready to be replayed: weights in memory, the input's parameters known. */
export interface ReadyLayer<L extends Layer = Layer> {
  readonly layer: L;
  /** Of the first of its inputs. */
  readonly input: ValueParams;
  readonly inputs: readonly ValueParams[];
  readonly shapes: LayerShapes;
  /** [outFeatures, inFeatures] of products, otherwise null. */
  readonly weight: Int8Array | Int16Array | null;
  /** Of a convolution. */
  readonly patch?: PlacedPatch;
  /** Of a layer that looks rows up. */
  readonly table?: NumericArray;
  readonly arrays?: NamedArrays;
}

/** What the call that a block of samples belongs to has decided. */
export interface InCall {
  /** How large it was; absent where its size decides nothing. */
  readonly call?: Call;
  /** What a dynamic layer quantized it with. */
  readonly input?: QuantParams;
  /** Of an elementwise layer that some kernels compute in blocks: whether they do a value. */
  readonly isInBlock?: (value: number) => boolean;
}

/** Why no kernel replays a layer, or null: its op has no engine here, or the file says so. */
export function whyUnknown({ form, op, notReplayed }: Layer): string | null {
  return form ? null : (notReplayed ?? `op ${op} is not replayed`);
}

/** Why a layer cannot be replayed under this kernel, or null. */
export function whyNotReplayed(kernel: Kernel, layer: Layer, inputs: readonly (ValueParams | null)[]): string | null {
  const unknown = whyUnknown(layer);
  if (unknown !== null) return unknown;
  if (inputs.includes(null)) return 'the quantization parameters of its input are not in the model';
  if (isLayout(layer) || isState(layer)) return null; // moves values, whatever the kernel
  const op = opByName(layer.op);
  const called = op?.called ?? layer.op;
  const steps = stepsOf(kernel, layer);
  const isInFloat = layer.arithmetic === 'float';
  // a file's layer in float may read codes and floats; without steps in float the kernel's own read codes alone
  const hasFloats = [...inputs, layer.output].some((params) => params?.dtype === 'float32');
  const isMixed = isInFloat && !kernel.opsInFloat && !layer.onFloats && op?.reads === 'codes' && hasFloats;
  if (isInFloat && (!steps || isMixed)) return `kernel ${kernel.name} has no ${called} in float: ${layer.because}`;
  if (!steps) return `kernel ${kernel.name} has no ${called}${layer.onFloats ? ' of floats' : ''}`;
  const without = otherCodes(steps, layer, inputs) ?? lacking(kernel, steps, layer, inputs[0]!);
  return without === null ? null : `kernel ${kernel.name} has no ${called} with ${without}`;
}

const BYTES: readonly string[] = ['uint8', 'int8'];

/** Codes wider than those of 8 bits are taken only by steps that say so. */
function otherCodes(steps: OpSteps, layer: Layer, inputs: readonly (ValueParams | null)[]): string | null {
  if (steps.kind === 'elementwise') return null;
  const known = [...(steps.codes ?? BYTES), 'float32', ...(steps.kind === 'product' ? ['int32'] : [])];
  const other = [...inputs, layer.output].find((params) => params && !known.includes(params.dtype));
  return other ? `${other.dtype} codes` : null;
}

function lacking(kernel: Kernel, steps: OpSteps, layer: Layer, input: ValueParams): string | null {
  if (steps.kind === 'product' && isProduct(layer)) return whatIsMissing(kernel, steps, layer, input);
  const values = layer.output ? { input, output: layer.output } : undefined;
  return steps.kind === 'tensor' && isTensor(layer) ? (steps.lacks?.(layer.form, values) ?? null) : null;
}

/** What a layer has that no model of this kernel's product takes; null: nothing. */
function whatIsMissing(
  { runtime }: Kernel,
  steps: ProductSteps,
  { form, output }: ProductLayer,
  input: ValueParams,
): string | null {
  const { weightDtype, ownBias, weightScale, dynamic, curve } = form;
  if (steps.lacks) return steps.lacks;
  if (curve && !steps.onReals?.curves[curve]) return `a fused ${curve}`;
  if (output?.dtype === 'int32' && (curve || steps.onReals?.add)) return 'an int32 output'; // no sums are left
  // a dynamic layer's codes are uint8
  const codes = isQuantized(input) ? input.dtype : 'uint8';
  if (weightDtype === 'uint8' && !steps.uint8Weights.includes(codes)) return `uint8 weights and ${codes} codes`;
  if (ownBias === 'int64' && !steps.bias.int64) return 'an int64 bias';
  // a script rounds it to the sums' scale as it does a float bias
  if (ownBias === 'scale' && !dynamic && steps.bias.arithmetic === 'int32' && runtime !== 'numpy')
    return 'an int32 bias at a scale of its own';
  // rows of their own are TFLite's; XNNPACK then ignores what the file asks for
  if (dynamic?.asymmetric === false && steps.dynamic?.grain === 'batch')
    return 'an input that is quantized without a zero point';
  if (dynamic?.perRow && steps.dynamic?.grain === 'batch') return 'a range of its own for each row';
  if (steps.givesFloats && output && isQuantized(output)) return 'an output of codes';
  if (output?.dtype !== 'int32' || dynamic) return null;
  // sums of integers are themselves under every kernel; a float product has none
  if (steps.float) return 'an int32 output';
  const isSum = output.zeroPoint === 0 && weightScale.every((scale) => sameScale(scaleOf(input) * scale, output.scale));
  return isSum ? null : 'an int32 output at another scale than s_x * s_w';
}

function scaleOf(input: ValueParams): number {
  return isQuantized(input) ? input.scale : Number.NaN;
}

/**
 * Replays one layer on a block of samples; inputs: [samples, features] each, in C order of their shapes, as is the result.
 */
export function replayLayer(
  kernel: Kernel,
  ready: ReadyLayer,
  inputs: readonly Matrix[],
  fast: Fast = null,
  { call, input, isInBlock }: InCall = {},
): Replayed {
  const { layer } = ready;
  const [x, added] = inputs;
  const steps = stepsOf(kernel, layer);
  if (steps?.kind === 'product' && isProduct(layer)) {
    if (steps.dynamic?.grain === 'row') return replayRows(steps, ready, layer, x, fast, call);
    const product = productOf(ready, layer, quantizedParams(input ?? ready.input), call);
    const codes = input ? quantizeRows(steps, product, x) : ({ ...x, ...(added && { addend: added.data }) } as Codes);
    if (product.patch) return replayPatches(steps, product, codes, ready.shapes, fast);
    return replayProduct(steps, product, rowsOf(codes, product), fast);
  }
  if (steps?.kind === 'elementwise' && isElementwise(layer)) {
    return replayElementwise(steps, elementwiseOf(layer, ready.input), x, isInBlock, fast);
  }
  if (isLayout(layer)) return replayLayout(layer, ready.shapes, x);
  if (isState(layer)) return { ...x, data: x.data as Replayed['data'], low: null, high: null, ...NO_SUMS };
  throw new Error(`${layer.op} is not replayed`);
}

/** Each row is quantized with parameters of its own; of a convolution each image, or each pixel of a 1x1. */
function replayRows(
  steps: ProductSteps,
  ready: ReadyLayer,
  layer: ProductLayer,
  x: Matrix,
  fast: Fast,
  call: Call | undefined,
): Replayed {
  const isImage = layer.form.patch !== undefined && !steps.dynamic!.byPlace;
  const cols = isImage ? x.cols : layer.form.weight.inFeatures;
  const replay = (rows: Matrix, { input }: { readonly input: QuantParams }) => {
    const product = productOf(ready, layer, input, call);
    const codes = quantizeRows(steps, product, rows);
    return isImage
      ? replayPatches(steps, product, codes, ready.shapes, fast)
      : replayProduct(steps, product, codes, fast);
  };
  const inputOf = (row: NumericArray) => ({ input: chosenInput(steps, layer.form, rangeOfRow(row)) });
  return rowsAlike({ ...x, rows: x.data.length / cols, cols }, inputOf, replay);
}

/** The layer with its numbers: what kernels read and causes change. */
export function productOf(
  {
    weight,
    patch,
    inputs: [, addend] = [],
  }: Pick<ReadyLayer, 'weight' | 'patch'> & Partial<Pick<ReadyLayer, 'inputs'>>,
  { form, output, ranAs }: ProductLayer,
  input: QuantParams,
  call?: Call,
): Product {
  const { perChannel, weightScale, weightZeroPoint, bias, biasInt32, biasInt64, activation, curve, weightDtype } = form;
  const { outFeatures, inFeatures } = form.weight;
  const params = { perChannel, weightScale, weightZeroPoint, bias, biasInt32, activation };
  return {
    ...params,
    output: form.dynamic && output!.dtype === 'int32' ? { ...output!, scale: input.scale * weightScale[0] } : output!,
    outFeatures,
    inFeatures,
    weight: weight!,
    input,
    ...(curve && { curve }),
    ...(addend && { addend }),
    ...(weightDtype && { weightDtype }),
    ...(biasInt64 && { biasInt64 }),
    ...(call && { call }),
    ...(ranAs && { ranAs }),
    ...(patch && { patch, groups: patch.groups }),
  };
}

export function elementwiseOf({ form, output }: ElementwiseLayer, input: ValueParams): Elementwise {
  return { input, output: output!, clamp: form.clamp };
}

/** What a dynamic layer quantizes a batch with. */
export function chosenInput(steps: ProductSteps, form: ProductForm, range: { min: number; max: number }): QuantParams {
  return steps.dynamic!.chooseQuantParams(range.min, range.max, form.dynamic!.reduceRange);
}

/** Products run along the last axis: [samples, T * K] is samples * T rows. */
function rowsOf({ data }: Codes, { inFeatures }: Product): Codes {
  return { rows: data.length / inFeatures, cols: inFeatures, data };
}

function quantizeRows({ dynamic }: ProductSteps, product: Product, x: Matrix): Codes {
  const quantize = dynamic!.quantize.prepare(product.input);
  return { ...x, data: int32s(x.data, quantize) };
}
