/**
 * Golden vectors: what a kernel computes, layer by layer, end to end from the captured input, with every constant it needs.
 * Each set is computed twice, by the replay and by the recipe that is written with it, and refused where they differ.
 */

import { kernelsWith } from '../compare/coverage.js';
import { productSteps } from '../kernels/kernel.js';
import { referenceFor } from '../kernels/reference.js';
import { nearestInt32Bias } from '../kernels/steps/int32Bias.js';
import type { Capture } from '../nouns/capture.js';
import type { Kernel, Product, ProductSteps, Step, SumData } from '../nouns/kernel.js';
import { isProduct, type Layer, type Model, type ProductLayer } from '../nouns/model.js';
import { InputError } from '../nouns/problem.js';
import { isQuantized, type LayerShapes } from '../nouns/value.js';
import { wrapInt32 } from '../numeric/integer.js';
import { blocks } from '../replay/blocks.js';
import { productOf } from '../replay/layer.js';
import { type LayerRun, ReplaySession } from '../replay/session.js';
import { channelsIn, sizeOf } from '../tensor/shape.js';
import { listed, printable } from '../text.js';
import { noIntegers, productsOf, refuseFloatKernel, whyFloat } from './constants.js';
import { isUnwritten, type Recipe, recipeOf, tracerOf } from './explain/recipe.js';
import { arraysOf, codesFor, type GoldenArray, type GoldenProduct } from './goldenArrays.js';
import { type GoldenValue, goldenValue } from './goldenValues.js';

export interface GoldenLayer {
  readonly name: string;
  readonly op: string;
  readonly samples: number;
  readonly steps: ProductSteps;
  readonly product: GoldenProduct;
  readonly shapes: LayerShapes;
  readonly recipe: Recipe;
  readonly arrays: readonly GoldenArray[];
}

export interface GoldenSet {
  readonly kernel: Kernel;
  readonly samples: number;
  readonly layers: readonly GoldenLayer[];
  /** Layers on whole values. */
  readonly values: readonly GoldenValue[];
  /** Of layers whose output was captured: it beside the vectors, in the model's order. */
  readonly captured: readonly { readonly layer: string; readonly values: number; readonly mismatched: number }[];
  readonly skipped: readonly { readonly layer: string; readonly why: string }[];
}

/** Throws InputError for a kernel without an integer form, or a model without a layer to compute. */
export async function golden(model: Model, capture: Capture, kernelName: string | undefined): Promise<GoldenSet> {
  const reference = referenceFor(model.producer, kernelName);
  const { kernel } = reference;
  refuseFloatKernel(kernel, whyNoIntegers);
  const session = new ReplaySession(model, capture, reference, 'propagated');
  const layers: GoldenLayer[] = [];
  const values: GoldenValue[] = [];
  const captured: GoldenSet['captured'][number][] = [];
  const skipped: { layer: string; why: string }[] = [];
  for (const layer of model.layers) {
    const why = session.whyNotReplayed(layer);
    const others = why === null ? '' : kernelsWith(layer, session.kernelOf(layer));
    const value = why === null ? await goldenValue(session, layer, capture) : null;
    const made = value ?? (why === null ? await vectorsOf(session, layer, capture) : `${why}${others}`);
    if (typeof made === 'string') {
      skipped.push({ layer: layer.name, why: made });
      continue;
    }
    if ('product' in made) layers.push(made);
    else values.push(made);
    captured.push(...(await besideCapture(capture, made)));
  }
  if (layers.length + values.length > 0) return { kernel, samples: capture.samples, layers, values, captured, skipped };
  const products = new Set(model.layers.filter(isProduct).map(({ name }) => name));
  const weighed = skipped.filter(({ layer }) => products.has(layer)).slice(0, 1);
  const reasons = (weighed.length > 0 ? weighed : skipped).map(({ layer, why }) => `${layer}: ${why}`);
  const message = `expected a linear layer or a convolution that can be replayed to codes, got none (${listed(reasons)})`;
  throw new InputError([{ kind: 'nothing-to-compute', where: model.path, message }]);
}

/** A static product to codes; sums are in every set as accumulators. */
export function hasVectors(layer: Layer): layer is ProductLayer {
  return (
    isProduct(layer) &&
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
    [multiplier, fixedPoint ? (fixedPoint.cOf ?? fixedPoint.c) : operations],
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

/** Or why this layer has none, though others have. */
async function vectorsOf(session: ReplaySession, layer: Layer, capture: Capture): Promise<GoldenLayer | string> {
  const kernel = session.kernelOf(layer);
  if (!hasVectors(layer)) return `kernel ${kernel.name} has no vectors of such layers`; // one reason, whatever their ops
  const why = whyNoIntegers(productSteps(kernel, layer)!);
  if (why !== null) return `kernel ${kernel.name} ${why}`;
  return goldenLayer(layer, await session.open(layer), capture);
}

async function goldenLayer(layer: ProductLayer, run: LayerRun, capture: Capture): Promise<GoldenLayer | string> {
  const { samples } = capture;
  if (!isQuantized(run.ready.input) || !layer.output || !isQuantized(layer.output))
    throw new Error('a linear layer reads codes');
  const { kernel } = run;
  const product = { ...productOf(run.ready, layer, run.ready.input, run.callOf(0)), output: layer.output };
  const steps = productSteps(kernel, layer)!;
  refuseMixedCalls(layer, run, steps, samples);
  const recipe = recipeOf(steps, product);
  if (isUnwritten(recipe)) throw noIntegers(kernel, hasNoC(recipe.unwritten));
  const fused = fusedWithoutC(recipe);
  if (fused !== null) return `kernel ${kernel.name} ${fused}`;
  if (recipe.precision === 'float64') return `${kernel.name} multiplies it in float64`;
  const { shapes } = run.ready;
  const biasInt32 = recipe.biasInt32 ?? nearestInt32Bias(product);
  const [read, made] = [sizeOf(shapes.inputs[0].dims), sizeOf(shapes.output.dims)];
  const { addend } = product;
  const added = addend && isQuantized(addend) ? codesFor(addend, samples * made) : null;
  const input = codesFor(product.input, samples * read);
  const output = codesFor(product.output, samples * made);
  const accumulator = new Int32Array(samples * made);
  const channelAt = channelsIn(shapes.output);
  let isTooWide = false;
  for (const [from, to] of blocks(0, samples, read + made)) {
    input.set(await run.input.read(from, to), from * read);
    added?.set(await run.inputs[1].read(from, to), from * made);
    const { data, accumulator: sums } = await run.replay(from, to);
    output.set(data, from * made);
    const block = { sums: sums!, outputs: data, added: added?.subarray(from * made, to * made) };
    check(kernel.name, steps, product, recipe, block, channelAt, layer.name);
    for (let i = 0; i < sums!.length; i++) {
      const biased = sums![i] + biasInt32[channelAt(i)];
      accumulator[from * made + i] = wrapInt32(biased);
      isTooWide ||= recipe.wide && biased !== accumulator[from * made + i];
    }
  }
  if (isTooWide) return 'its sums need more than 32 bits, which the vectors have not';
  const values = { input, added, output, accumulator };
  return {
    name: layer.name,
    op: layer.op,
    samples,
    steps,
    product,
    shapes,
    recipe,
    arrays: arraysOf(layer.name, samples, shapes, product, steps, recipe, values),
  };
}

/** What is done to real values and has no C: sums with floats, curves of the C library. */
function fusedWithoutC({ operations }: Recipe): string | null {
  const without = operations.find(({ kind, curve, addend, operand }) =>
    kind === 'curve' ? curve!.c === null : !addend && operand.length > 1,
  );
  return without ? hasNoC({ name: without.name, equation: without.formula }) : null;
}

async function besideCapture({ values, samples }: Capture, { name, arrays }: GoldenLayer | GoldenValue) {
  const captured = values.get(name);
  const output = arrays.find((array) => array.value === name)?.data;
  if (!captured || !output) return [];
  let mismatched = 0;
  for (const [from, to] of blocks(0, samples, captured.features)) {
    const block = await captured.read(from, to);
    for (let i = 0; i < block.length; i++) if (block[i] !== output[from * captured.features + i]) mismatched++;
  }
  return [{ layer: name, values: output.length, mismatched }];
}

/** The recipe, which becomes C code, must give what the replay gave. */
function check(
  name: string,
  steps: ProductSteps,
  product: Product,
  recipe: Recipe,
  {
    sums,
    outputs,
    added,
  }: { readonly sums: SumData; readonly outputs: ArrayLike<number>; readonly added?: ArrayLike<number> },
  channelAt: (index: number) => number,
  layer: string,
): void {
  const trace = tracerOf(steps, product, recipe);
  for (let i = 0; i < sums.length; i++) {
    const { value } = trace(sums[i], channelAt(i), added?.[i]);
    if (value !== outputs[i])
      throw new Error(`${layer}: the recipe of ${name} gives ${value}, its replay ${outputs[i]}`);
  }
}
