/** Each value from one: converted, or clamped and otherwise as it is. */
import type { Matrix } from '../nouns/array.js';
import type { Elementwise, ElementwiseSteps } from '../nouns/kernel.js';
import { isQuantized, type QuantParams, quantizedParams } from '../nouns/value.js';
import { NO_SUMS, type Replayed } from './replayed.js';

/** The layer's function of one value, a code or a real. */
export function elementwiseFunction(steps: ElementwiseSteps, layer: Elementwise): (value: number) => number {
  const { input, output } = layer;
  if (steps.rescale) return rescaling(steps, quantizedParams(input), quantizedParams(output));
  const read = steps.dequantize ? steps.dequantize.prepare(quantizedParams(input)) : null;
  const write = steps.quantize ? steps.quantize.prepare(quantizedParams(output)) : null;
  if (read && write) return (code) => write(read(code));
  return read ?? write ?? clamping(steps, layer);
}

export function replayElementwise(steps: ElementwiseSteps, layer: Elementwise, x: Matrix): Replayed {
  const apply = elementwiseFunction(steps, layer);
  const data = isQuantized(layer.output) ? new Int32Array(x.data.length) : new Float32Array(x.data.length);
  for (let i = 0; i < data.length; i++) data[i] = apply(x.data[i]);
  return { rows: x.rows, cols: x.cols, data, low: null, high: null, ...NO_SUMS };
}

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

function rescaling({ rescale }: ElementwiseSteps, input: QuantParams, output: QuantParams): (code: number) => number {
  const toSteps = rescale!.prepare(input, output);
  const { zeroPoint, quantMin, quantMax } = output;
  return (code) => Math.min(Math.max(toSteps(code - input.zeroPoint) + zeroPoint, quantMin), quantMax);
}
