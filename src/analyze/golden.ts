/**
 * Golden vectors: what a kernel computes, layer by layer, end to end from the captured input, with every constant it needs.
 * Each set is computed twice, by the replay and by the recipe that is written with it, and refused where they differ.
 */

import { productSteps } from '../kernels/kernel.js';
import { referenceFor } from '../kernels/reference.js';
import { weightScaleOf } from '../kernels/steps/scales.js';
import type { NumericArray } from '../nouns/array.js';
import type { Capture } from '../nouns/capture.js';
import type { Codes, Kernel, Product, ProductSteps, Step } from '../nouns/kernel.js';
import { isProduct, type Layer, type Model, type ProductLayer } from '../nouns/model.js';
import { InputError } from '../nouns/problem.js';
import { isQuantized, type QuantParams } from '../nouns/value.js';
import { f32 } from '../numeric/float.js';
import { wrapInt32 } from '../numeric/integer.js';
import { weightZeroPointOf } from '../products/exactSums.js';
import { blocks } from '../replay/blocks.js';
import { productOf } from '../replay/layer.js';
import { type LayerRun, ReplaySession } from '../replay/session.js';
import { printable } from '../text.js';
import { nearestInt32Bias, noIntegers, productsOf, refuseFloatKernel, whyFloat } from './constants.js';
import { isUnwritten, type Recipe, recipeOf, trace } from './explain/recipe.js';

export interface GoldenArray {
  /** `LAYER.input`, `LAYER.weight` ... */
  readonly name: string;
  /** The capture's name of the same value; null for constants. */
  readonly value: string | null;
  readonly shape: readonly number[];
  readonly data: NumericArray;
}

export interface GoldenLayer {
  readonly name: string;
  readonly samples: number;
  readonly steps: ProductSteps;
  readonly product: Product & { readonly output: QuantParams };
  readonly recipe: Recipe;
  readonly arrays: readonly GoldenArray[];
  /** The captured output beside the vectors; null where none was captured. */
  readonly captured: { readonly values: number; readonly mismatched: number } | null;
}

export interface GoldenSet {
  readonly kernel: Kernel;
  readonly samples: number;
  readonly layers: readonly GoldenLayer[];
  readonly skipped: readonly { readonly layer: string; readonly why: string }[];
}

/** Throws InputError for a kernel without an integer form, or a model without a layer to compute. */
export async function golden(model: Model, capture: Capture, kernelName: string | undefined): Promise<GoldenSet> {
  const reference = referenceFor(model.producer, kernelName);
  const { kernel } = reference;
  refuseFloatKernel(kernel, whyNoIntegers);
  const session = new ReplaySession(model, capture, reference, 'propagated');
  const layers: GoldenLayer[] = [];
  const skipped: { layer: string; why: string }[] = [];
  for (const layer of model.layers) {
    const why = session.whyNotReplayed(layer) ?? (hasVectors(layer) ? null : `${layer.op} has no vectors of its own`);
    if (why !== null || !isProduct(layer)) skipped.push({ layer: layer.name, why: why ?? '' });
    else layers.push(await goldenLayer(layer, await session.open(layer), capture));
  }
  if (layers.length > 0) return { kernel, samples: capture.samples, layers, skipped };
  const message = 'expected a linear layer with quantized input and output that can be replayed, got none';
  throw new InputError([{ kind: 'nothing-to-compute', where: model.path, message }]);
}

/** A static product to codes; sums are in every set as accumulators. */
function hasVectors(layer: Layer): boolean {
  return (
    isProduct(layer) &&
    !layer.form.patch &&
    !layer.form.dynamic &&
    layer.output !== null &&
    isQuantized(layer.output) &&
    layer.output.dtype !== 'int32'
  );
}

/** Whether vectors of a kernel can be written: of integers and float32, in a fixed order. */
export function hasIntegerForm(kernel: Kernel): boolean {
  return productsOf(kernel).every((steps) => whyNoIntegers(steps) === null);
}

/** What of a product is not written in C, of integers alone; null where all is. */
export function whyNoIntegers(steps: ProductSteps): string | null {
  const { multiplier, accumulate, round, offsetAndClamp } = steps;
  const { fixedPoint, operations } = multiplier;
  const written: readonly (readonly [Step, unknown])[] = [
    [accumulate, accumulate.c],
    [multiplier, fixedPoint ? fixedPoint.c : operations],
    [round, fixedPoint ?? round.c],
    [offsetAndClamp, offsetAndClamp.c],
  ];
  const unwritten = written.find(([, form]) => form === null);
  return whyFloat(steps) ?? (unwritten ? hasNoC(unwritten[0]) : null);
}

function hasNoC({ name, equation }: Step): string {
  return `has no C form of ${name}: ${equation}`;
}

/** One recipe has to hold for all samples. */
function refuseMixedCalls({ name }: Layer, { callOf, kernel }: LayerRun, steps: ProductSteps, samples: number): void {
  const stepOf = (sample: number) => steps.multiplier.ofCall?.(callOf(sample)!);
  const other = Array.from({ length: samples }, (_, sample) => sample).find((sample) => stepOf(sample) !== stepOf(0));
  if (other === undefined) return;
  const sizes = `sample 0 is of a call of ${callOf(0)!.rows} rows, sample ${other} of ${callOf(other)!.rows}`;
  const message = `expected calls that ${kernel.name} computes alike, got ${printable(name)}, where ${sizes}; make batches of one size`;
  throw new InputError([{ kind: 'calls', where: 'batch_sizes', message }]);
}

async function goldenLayer(layer: ProductLayer, run: LayerRun, capture: Capture): Promise<GoldenLayer> {
  const { samples } = capture;
  if (!isQuantized(run.ready.input) || !layer.output || !isQuantized(layer.output))
    throw new Error('a linear layer reads codes');
  const { kernel } = run;
  const product = { ...productOf(run.ready, layer, run.ready.input, run.callOf(0)), output: layer.output };
  const steps = productSteps(kernel, layer.op)!;
  refuseMixedCalls(layer, run, steps, samples);
  const recipe = recipeOf(steps, product);
  if (isUnwritten(recipe)) throw noIntegers(kernel, hasNoC(recipe.unwritten));
  const { outFeatures, inFeatures } = product;
  const biasInt32 = recipe.biasInt32 ?? nearestInt32Bias(product);
  const input = codesFor(product.input, samples * inFeatures);
  const output = codesFor(product.output, samples * outFeatures);
  const accumulator = new Int32Array(samples * outFeatures);
  for (const [from, to] of blocks(0, samples, inFeatures + outFeatures)) {
    const x = await run.input.read(from, to);
    input.set(x, from * inFeatures);
    const replayed = await run.replay(from, to);
    output.set(replayed.data, from * outFeatures);
    const sums = steps.accumulate.run({ rows: to - from, cols: inFeatures, data: x } as Codes, product).data;
    check(kernel.name, steps, product, recipe, sums, replayed.data, layer.name);
    sums.forEach((sum, i) => {
      accumulator[from * outFeatures + i] = wrapInt32(sum + biasInt32[i % outFeatures]);
    });
  }
  const values = { input, output, accumulator };
  return {
    name: layer.name,
    samples,
    steps,
    product,
    recipe,
    arrays: arraysOf(layer.name, samples, product, recipe, values),
    captured: await besideCapture(capture, layer.name, output),
  };
}

/** What a kernel read, used and gave, in the order of the files. */
export function arraysOf(
  layer: string,
  samples: number,
  product: GoldenLayer['product'],
  recipe: Recipe,
  values: { readonly input: NumericArray; readonly output: NumericArray; readonly accumulator: Int32Array },
): GoldenArray[] {
  const { outFeatures, inFeatures } = product;
  const { input, output, accumulator } = values;
  const biasInt32 = recipe.biasInt32 ?? nearestInt32Bias(product);
  const at = (name: string, value: string | null, shape: number[], data: NumericArray): GoldenArray => ({
    name: `${layer}.${name}`,
    value,
    shape,
    data,
  });
  const perChannel = [outFeatures];
  return [
    at('input', `${layer}.input`, [samples, inFeatures], input),
    at('weight', null, [outFeatures, inFeatures], weightCodes(product)),
    at(
      'weight_zero_point',
      null,
      perChannel,
      Int32Array.from({ length: outFeatures }, (_, n) => weightZeroPointOf(product, n)),
    ),
    at('bias_int32', null, perChannel, biasInt32),
    ...(recipe.biasInt32 || !product.bias ? [] : [at('bias_float32', null, perChannel, product.bias)]),
    ...multiplierArrays(recipe, product).map(([name, data]) => at(name, null, perChannel, data)),
    at('accumulator', null, [samples, outFeatures], accumulator),
    at('output', layer, [samples, outFeatures], output),
  ];
}

async function besideCapture({ values, samples }: Capture, layer: string, output: NumericArray) {
  const captured = values.get(layer);
  if (!captured) return null;
  let mismatched = 0;
  for (const [from, to] of blocks(0, samples, captured.features)) {
    const block = await captured.read(from, to);
    block.forEach((value: number, i: number) => {
      if (value !== output[from * captured.features + i]) mismatched++;
    });
  }
  return { values: output.length, mismatched };
}

function weightCodes({ weight, weightDtype }: Product): Int8Array | Uint8Array {
  return weightDtype === 'uint8' ? Uint8Array.from(weight) : Int8Array.from(weight);
}

function codesFor({ dtype }: QuantParams, length: number): Uint8Array | Int8Array | Int32Array {
  if (dtype === 'uint8') return new Uint8Array(length);
  return dtype === 'int8' ? new Int8Array(length) : new Int32Array(length);
}

function multiplierArrays(recipe: Recipe, product: Product & { output: QuantParams }): [string, NumericArray][] {
  const channels = Array.from({ length: product.outFeatures }, (_, n) => n);
  if (recipe.fixedPoint) {
    const fixed = channels.map((n) => recipe.fixedPoint!.multiplierOf(product, product.output, n));
    return [
      ['multiplier_int32', Int32Array.from(fixed, ({ multiplier }) => multiplier)],
      ['shift', Int8Array.from(fixed, ({ exponent }) => exponent)],
    ];
  }
  const real = channels.map((n) =>
    f32(f32(f32(product.input.scale) * f32(weightScaleOf(product, n))) / f32(product.output.scale)),
  );
  const scaling = recipe.operations.filter(({ name }) => name === 'multiplier');
  const one = scaling.length === 1 && recipe.operations.every(({ name }) => name !== 'output scale');
  return [['multiplier_float32', Float32Array.from(one ? channels.map(scaling[0].operand) : real)]];
}

/** The recipe, which becomes C code, must give what the replay gave. */
function check(
  name: string,
  steps: ProductSteps,
  product: Product,
  recipe: Recipe,
  sums: Int32Array,
  outputs: ArrayLike<number>,
  layer: string,
): void {
  for (let i = 0; i < sums.length; i++) {
    const { value } = trace(steps, product, recipe, sums[i], i % product.outFeatures);
    if (value !== outputs[i])
      throw new Error(`${layer}: the recipe of ${name} gives ${value}, its replay ${outputs[i]}`);
  }
}
