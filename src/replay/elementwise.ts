/** Each value from one: converted, or clamped and otherwise as it is. */
import type { Matrix, NumericArray } from '../nouns/array.js';
import type { Elementwise, ElementwiseSteps, Fast } from '../nouns/kernel.js';
import { isQuantized, type QuantParams, quantizedParams, type ValueParams } from '../nouns/value.js';
import { asBytes, isBytes, lookedUp } from '../numeric/array.js';
import { batchOf } from './calls.js';
import { quantizedMany } from './quantized.js';
import { NO_SUMS, type Replayed } from './replayed.js';

/** The layer's function of one value, a code or a real. */
export function elementwiseFunction(steps: ElementwiseSteps, layer: Elementwise): (value: number) => number {
  const { input, output } = layer;
  if (steps.rescale) return rescaling(steps, layer, quantizedParams(input), quantizedParams(output));
  const read = steps.dequantize ? steps.dequantize.prepare(quantizedParams(input)) : null;
  const write = steps.quantize ? steps.quantize.prepare(quantizedParams(output)) : null;
  if (read && write) return (code) => write(read(code));
  return read ?? write ?? clamping(steps, layer);
}

/** isInBlock: whether vector code computes a value, counted from the first of x; absent: all. */
export function replayElementwise(
  steps: ElementwiseSteps,
  layer: Elementwise,
  x: Matrix,
  isInBlock: (value: number) => boolean = () => true,
  fast: Fast = null,
): Replayed {
  const apply = elementwiseFunction(steps, layer);
  const otherwise = steps.rest ? elementwiseFunction(steps.rest, layer) : apply;
  const data = apply === otherwise ? each(x.data, apply, layer.output, fast) : storageFor(layer.output, x.data.length);
  if (apply !== otherwise)
    for (let i = 0; i < data.length; i++) data[i] = (isInBlock(i) ? apply : otherwise)(x.data[i]);
  return { rows: x.rows, cols: x.cols, data, low: null, high: null, ...NO_SUMS };
}

function each(
  values: Matrix['data'],
  apply: (value: number) => number,
  output: ValueParams,
  fast: Fast,
): Replayed['data'] {
  const codes =
    fromTable(values, apply, output, fast) ?? (isQuantized(output) ? quantizedMany(values, apply, output, fast) : null);
  if (codes) return codes;
  const data = storageFor(output, values.length);
  for (let i = 0; i < data.length; i++) data[i] = apply(values[i]);
  return data;
}

function storageFor(output: ValueParams, length: number): Int32Array | Float32Array {
  return isQuantized(output) ? new Int32Array(length) : new Float32Array(length);
}

/** The same function of codes of 8 bits, each computed once; null where these are none, or few. */
export function fromTable(
  values: NumericArray,
  apply: (value: number) => number,
  output: ValueParams,
  fast: Fast = null,
): Replayed['data'] | null {
  if (!isBytes(values) || values.length < WORTH_TABLE) return null;
  const wide = storageFor(output, 256);
  const isSigned = values instanceof Int8Array;
  for (let i = 0; i < 256; i++) wide[i] = apply(isSigned && i > 127 ? i - 256 : i);
  const table = wide instanceof Int32Array ? asBytes(wide, output.dtype) : wide;
  return (isBytes(table) && fast?.lookedUp(values, table)) || lookedUp(values, table);
}

const WORTH_TABLE = 1 << 12;

/** The values between which a clamp leaves everything as it is; null: it does so everywhere. */
export function clampBounds(
  { bound }: ElementwiseSteps,
  { clamp, output }: Elementwise,
): [lo: number, hi: number] | null {
  if (!clamp) return null;
  if (!isQuantized(output)) return [clamp.lower, clamp.upper];
  const code = bound.prepare(output);
  return [
    clamp.lower === Number.NEGATIVE_INFINITY ? output.quantMin : code(clamp.lower),
    clamp.upper === Number.POSITIVE_INFINITY ? output.quantMax : code(clamp.upper),
  ];
}

function clamping(steps: ElementwiseSteps, layer: Elementwise): (value: number) => number {
  const bounds = clampBounds(steps, layer);
  if (!bounds) return (value) => value;
  const [lo, hi] = bounds;
  return (value) => Math.min(Math.max(value, lo), hi);
}

function rescaling(
  steps: ElementwiseSteps,
  layer: Elementwise,
  input: QuantParams,
  output: QuantParams,
): (code: number) => number {
  const toSteps = steps.rescale!.prepare(input, output);
  const [lo, hi] = clampBounds(steps, layer) ?? [output.quantMin, output.quantMax];
  return (code) => Math.min(Math.max(toSteps(code - input.zeroPoint) + output.zeroPoint, lo), hi);
}

/** Blocks of values from the first of a call's tensor on; ends: one past the last sample of each call. */
export function inBlocks(width: number, features: number, firstSample: number, ends: readonly number[]) {
  return (value: number): boolean => {
    const sample = firstSample + Math.floor(value / features);
    const call = batchOf(ends, sample);
    const start = call > 0 ? ends[call - 1] : 0;
    const inCall = (firstSample - start) * features + value;
    return inCall < Math.floor(((ends[call] - start) * features) / width) * width;
  };
}
