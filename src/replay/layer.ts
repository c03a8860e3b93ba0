import { stepsOf } from '../kernels/kernel.js';
import type { Matrix } from '../nouns/array.js';
import type { Codes, Elementwise, Fast, Kernel, Product, ProductSteps } from '../nouns/kernel.js';
import {
  type ElementwiseLayer,
  isElementwise,
  isLayout,
  isProduct,
  type Layer,
  type ProductForm,
  type ProductLayer,
} from '../nouns/model.js';
import { isQuantized, type LayerShapes, type QuantParams, type ValueParams } from '../nouns/value.js';
import type { PlacedPatch } from '../nouns/window.js';
import { opByName } from '../ops/registry.js';
import { replayElementwise } from './elementwise.js';
import { replayLayout } from './layout.js';
import { replayPatches } from './patches.js';
import { replayProduct } from './product.js';
import type { Replayed } from './replayed.js';

/** A layer ready to be replayed: weights in memory, the input's parameters known. */
export interface ReadyLayer<L extends Layer = Layer> {
  readonly layer: L;
  /** Of the first of its inputs. */
  readonly input: ValueParams;
  readonly inputs: readonly ValueParams[];
  readonly shapes: LayerShapes;
  /** int8 [outFeatures, inFeatures] of products, otherwise null. */
  readonly weight: Int8Array | null;
  /** Of a convolution. */
  readonly patch?: PlacedPatch;
}

/** Why a layer cannot be replayed under this kernel, or null. */
export function whyNotReplayed(kernel: Kernel, layer: Layer, inputs: readonly (ValueParams | null)[]): string | null {
  if (!layer.form) return layer.notReplayed ?? `op ${layer.op} is not replayed`;
  if (inputs.includes(null)) return 'the quantization parameters of its input are not in the model';
  if (isLayout(layer)) return null; // moves values, whatever the kernel
  return stepsOf(kernel, layer.op) ? null : `kernel ${kernel.name} has no ${opByName(layer.op)?.called ?? layer.op}`;
}

/**
 * Replays one layer on a block of samples; inputs: [samples, features] each, in C order of their shapes, as is the result.
 * dynamicInput: the parameters a dynamic layer chose for the batch these samples belong to.
 */
export function replayLayer(
  kernel: Kernel,
  ready: ReadyLayer,
  inputs: readonly Matrix[],
  fast: Fast = null,
  dynamicInput?: QuantParams,
): Replayed {
  const { layer } = ready;
  const [x] = inputs;
  const steps = stepsOf(kernel, layer.op);
  if (steps?.kind === 'product' && isProduct(layer)) {
    const product = productOf(ready, layer, quantized(dynamicInput ?? ready.input));
    const codes = dynamicInput ? quantizeRows(steps, product, x) : (x as Codes);
    if (product.patch) return replayPatches(steps, product, codes, ready.shapes, fast);
    return replayProduct(steps, product, rowsOf(codes, product), fast);
  }
  if (steps?.kind === 'elementwise' && isElementwise(layer)) {
    return replayElementwise(steps, elementwiseOf(layer, ready.input), x);
  }
  if (isLayout(layer)) return replayLayout(layer, ready.shapes, x);
  throw new Error(`${layer.op} is not replayed`);
}

/** The layer with its numbers: what kernels read and causes change. */
export function productOf(
  { weight, patch }: Pick<ReadyLayer, 'weight' | 'patch'>,
  { form, output }: ProductLayer,
  input: QuantParams,
): Product {
  const { perChannel, weightScale, weightZeroPoint, bias, biasInt32, activation } = form;
  const { outFeatures, inFeatures } = form.weight;
  const params = { perChannel, weightScale, weightZeroPoint, bias, biasInt32, activation };
  return {
    ...params,
    output: output!,
    outFeatures,
    inFeatures,
    weight: weight!,
    input,
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
  return { ...x, data: Int32Array.from(x.data, quantize) };
}

function quantized(params: ValueParams | null): QuantParams {
  if (!params || !isQuantized(params)) throw new Error('expected quantized values');
  return params;
}
