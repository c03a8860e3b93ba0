import { elementwiseSteps, productSteps } from '../../kernels/kernel.js';
import { clampOfCodes } from '../../kernels/steps/activation.js';
import type { Kernel } from '../../nouns/kernel.js';
import { isElementwise, isProduct, type Layer, type Model, type ProductLayer } from '../../nouns/model.js';
import { isQuantized, type QuantParams } from '../../nouns/value.js';
import { largestOf, smallestOf } from '../../numeric/extremes.js';
import { clampBounds } from '../../replay/elementwise.js';

/** Smallest and largest, both included. */
export interface Range {
  readonly lo: number;
  readonly hi: number;
}

export interface GrowingRange {
  lo: number;
  hi: number;
}

/** Raw input codes, and the same with the zero point subtracted. */
export interface InputRange {
  readonly codes: Range;
  readonly centred: Range;
}

export function emptyRange(): GrowingRange {
  return { lo: Number.POSITIVE_INFINITY, hi: Number.NEGATIVE_INFINITY };
}

/** One for each channel; never as objects: a layer may have a million. */
export class Ranges {
  readonly lo: Float64Array;
  readonly hi: Float64Array;

  constructor(count: number) {
    this.lo = new Float64Array(count).fill(Number.POSITIVE_INFINITY);
    this.hi = new Float64Array(count).fill(Number.NEGATIVE_INFINITY);
  }

  at(channel: number): Range {
    return { lo: this.lo[channel], hi: this.hi[channel] };
  }

  widen(channel: number, value: number): void {
    if (value < this.lo[channel]) this.lo[channel] = value;
    if (value > this.hi[channel]) this.hi[channel] = value;
  }

  /** From the smallest of all to the largest. */
  get union(): Range {
    return { lo: smallestOf(this.lo), hi: largestOf(this.hi) };
  }
}

export function widen(range: GrowingRange, value: number): void {
  if (value < range.lo) range.lo = value;
  if (value > range.hi) range.hi = value;
}

export function largestMagnitude({ lo, hi }: Range): number {
  return Math.max(Math.abs(lo), Math.abs(hi));
}

/** What a layer reads: declared, or for a dynamic layer what its batches are spread over. */
export function inputParams(model: Model, layer: ProductLayer, kernel: Kernel): QuantParams {
  const declared = paramsOf(model, layer.inputs[0]);
  const params = layer.form.dynamic || !declared ? dynamicParams(layer) : declared;
  if (!keepsZeroPoint(kernel)) return params;
  const half = (params.quantMax + 1) / 2;
  return layer.form.dynamic
    ? { ...params, dtype: 'int8', quantMin: -half, quantMax: half - 1 }
    : { ...params, zeroPoint: 0 };
}

function paramsOf(model: Model, value: string): QuantParams | null {
  const params =
    model.inputs.find(({ name }) => name === value)?.params ?? model.layers.find(({ name }) => name === value)?.output;
  return params && isQuantized(params) ? params : null;
}

/** reduce_range never exceeds 127 here, as the range is the batch's own. */
function dynamicParams(layer: ProductLayer): QuantParams {
  const quantMax = layer.form.dynamic?.reduceRange ? 127 : 255;
  return { dtype: 'uint8', scale: 1, zeroPoint: 0, quantMin: 0, quantMax };
}

/** torchao multiplies int8 codes as they are, and takes the zero point's part off the floats. */
function keepsZeroPoint({ family }: Kernel): boolean {
  return family === 'torchao';
}

export function inputRange(model: Model, layer: ProductLayer, input: QuantParams, kernel: Kernel): InputRange {
  const { quantMin, quantMax, zeroPoint } = input;
  if (keepsZeroPoint(kernel)) {
    const codes = { lo: quantMin, hi: quantMax };
    return { codes, centred: codes };
  }
  // the zero point of a batch can be any of its codes
  if (layer.form.dynamic) return { codes: { lo: 0, hi: quantMax }, centred: { lo: -quantMax, hi: quantMax } };
  const codes = rectified(model, layer.inputs[0], { lo: quantMin, hi: quantMax }, input, kernel);
  return { codes, centred: { lo: codes.lo - zeroPoint, hi: codes.hi - zeroPoint } };
}

/** The dtype's range, within what a fused or following activation leaves. */
function rectified(model: Model, value: string, range: Range, params: QuantParams, kernel: Kernel): Range {
  const producer: Layer | undefined = model.layers.find(({ name }) => name === value);
  if (!producer) return range;
  if (isProduct(producer)) {
    const bound = productSteps(kernel, producer)?.bound ?? null;
    const [lo, hi] = clampOfCodes(producer.form.activation, params, bound);
    return { lo: Math.max(range.lo, lo), hi: Math.min(range.hi, hi) };
  }
  if (!isElementwise(producer) || !producer.form.keepsParams) return range;
  const own = { input: params, output: params, clamp: producer.form.clamp };
  const bounds = clampBounds(elementwiseSteps(kernel, producer)!, own);
  if (!bounds) return rectified(model, producer.inputs[0], range, params, kernel);
  return { lo: Math.max(range.lo, bounds[0]), hi: Math.min(range.hi, bounds[1]) };
}
