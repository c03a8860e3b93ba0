/** What is known of a layer before any rule looks at it. */

import { productSteps } from '../../kernels/kernel.js';
import { clampOfCodes } from '../../kernels/steps/activation.js';
import { weightScaleOf } from '../../kernels/steps/scales.js';
import type { Capture } from '../../nouns/capture.js';
import type { Kernel, Product, ProductSteps } from '../../nouns/kernel.js';
import type { Model, Producer, ProductLayer } from '../../nouns/model.js';
import { isQuantized } from '../../nouns/value.js';
import { float64s } from '../../numeric/array.js';
import { clamp, INT32_MAX, INT32_MIN } from '../../numeric/integer.js';
import { roundHalfEven } from '../../numeric/round.js';
import { weightZeroPointOf } from '../../products/exactSums.js';
import { productOf } from '../../replay/layer.js';
import { placed } from '../../replay/patches.js';
import { stepsBeforeRounding, stepsToCode } from '../../replay/product.js';
import type { ReplaySession } from '../../replay/session.js';
import { type Observation, observe } from './observation.js';
import { type PairGroup, saturatingGroups, wrappingGroups } from './pairs.js';
import { type InputRange, inputParams, inputRange, type Range, Ranges } from './range.js';

/** Everything that the rules look at. */
export interface Subject {
  readonly producer: Producer;
  readonly layer: ProductLayer;
  readonly product: Product;
  readonly range: InputRange;
  /** null without a capture, and where the layer's input is not in it. */
  readonly observed: Observation | null;
  /** int32 bias in accumulator units, unclamped; by channel. */
  readonly bias: Float64Array;
  /** Bias included, over the input's range; by channel. */
  readonly worst: Ranges;
  /** The codes that `worst` gives under the declared kernel; null where the output is not made of integers. */
  readonly outputs: Ranges | null;
  /** The codes that the clamp lets through; null for a float output. */
  readonly clampedTo: Range | null;
  readonly saturating: readonly PairGroup[];
  readonly wrapping: readonly PairGroup[];
}

/** A capture, and the session that reads it. */
export interface Captured {
  readonly capture: Capture;
  readonly session: ReplaySession;
}

export async function subjectOf(
  model: Model,
  layer: ProductLayer,
  kernel: Kernel,
  captured: Captured | null,
): Promise<Subject> {
  const input = inputParams(model, layer, kernel);
  const patch = placedPatch(model, layer);
  const product = productOf({ weight: await layer.form.weight.read(), ...(patch && { patch }) }, layer, input);
  const range = inputRange(model, layer, input, kernel);
  const bias = biasUnits(product);
  const steps = productSteps(kernel, layer);
  const saturating = saturatingGroups(product, layer, kernel);
  const worst = worstAccumulators(product, range.centred, bias);
  return {
    producer: model.producer,
    layer,
    product,
    range,
    observed: await observed(captured, layer, product, { bias, saturating }),
    bias,
    worst,
    outputs: worstOutputs(steps, product, worst, bias),
    clampedTo: clampRange(product, steps),
    saturating,
    wrapping: wrappingGroups(product, layer, kernel),
  };
}

/** Of a convolution whose sizes the model says. */
function placedPatch({ shapes }: Model, { form, inputs, name }: ProductLayer) {
  const [input, output] = [shapes?.get(inputs[0]), shapes?.get(name)];
  return form.patch && input && output ? placed(form.patch, input, output) : null;
}

async function observed(
  captured: Captured | null,
  layer: ProductLayer,
  product: Product,
  known: Pick<Subject, 'bias' | 'saturating'>,
): Promise<Observation | null> {
  // a dynamic layer's codes are not in the capture: its input is float
  if (!captured || layer.form.dynamic || captured.session.whyNotReplayed(layer)) return null;
  return observe(captured.session, layer, product, known, captured.capture);
}

function biasUnits(product: Product): Float64Array {
  const { bias, biasInt32, outFeatures, input } = product;
  if (biasInt32) return Float64Array.from(biasInt32);
  return float64s({ length: outFeatures }, (_, n) =>
    bias ? roundHalfEven(bias[n] / (input.scale * weightScaleOf(product, n))) : 0,
  );
}

function worstAccumulators(product: Product, { lo, hi }: Range, bias: Float64Array): Ranges {
  const worst = new Ranges(product.outFeatures);
  for (let n = 0; n < product.outFeatures; n++) {
    const { positive, negative } = weightSums(product, n);
    worst.lo[n] = positive * lo + negative * hi + bias[n];
    worst.hi[n] = positive * hi + negative * lo + bias[n];
  }
  return worst;
}

/** Sums of a channel's positive and negative weights, zero point subtracted. */
function weightSums(product: Product, channel: number): { positive: number; negative: number } {
  const { weight, inFeatures } = product;
  const zeroPoint = weightZeroPointOf(product, channel);
  let [positive, negative] = [0, 0];
  for (let k = channel * inFeatures; k < (channel + 1) * inFeatures; k++) {
    const w = weight[k] - zeroPoint;
    if (w > 0) positive += w;
    else negative += w;
  }
  return { positive, negative };
}

function worstOutputs(own: ProductSteps | null, product: Product, worst: Ranges, bias: Float64Array): Ranges | null {
  if (!isQuantized(product.output) || !own || own.float || product.addend || product.curve) return null;
  const steps = stepsBeforeRounding(own, product);
  const code = stepsToCode(own, product);
  // the kernel's own steps add the bias
  const codeOf = (sum: number, n: number) => code(steps(clamp(sum - bias[n], INT32_MIN, INT32_MAX), n));
  const outputs = new Ranges(product.outFeatures);
  for (let n = 0; n < product.outFeatures; n++) {
    outputs.lo[n] = codeOf(worst.lo[n], n);
    outputs.hi[n] = codeOf(worst.hi[n], n);
  }
  return outputs;
}

function clampRange({ output, activation }: Product, own: ProductSteps | null): Range | null {
  if (!isQuantized(output)) return null;
  const [lo, hi] = clampOfCodes(activation, output, own?.bound ?? null);
  return { lo, hi };
}
