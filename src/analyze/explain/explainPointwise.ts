/** One value of a layer that computes each value from one: relu, relu6, identity, quantize, dequantize. */

import type { ExplainColumn, ExplainDocument } from '../../documents/explain.js';
import { elementwiseSteps } from '../../kernels/kernel.js';
import type { ElementwiseSteps, Kernel, QuantizeStep } from '../../nouns/kernel.js';
import type { ElementwiseLayer } from '../../nouns/model.js';
import { isQuantized, type QuantParams, type ValueParams } from '../../nouns/value.js';
import { f32, fma32 } from '../../numeric/float.js';
import { clampBounds } from '../../replay/elementwise.js';
import { elementwiseOf, replayLayer } from '../../replay/layer.js';
import { rowOf } from '../../tensor/shape.js';
import { HALF_AWAY } from './numpy.js';

export interface PointwiseValue {
  readonly layer: ElementwiseLayer;
  readonly input: ValueParams;
  readonly sample: number;
  readonly channel: number;
  /** Its position; undefined where a channel has one value. */
  readonly at?: number[];
  /** What the layer read: a code or a real value. */
  readonly x: number;
  readonly captured: number | null;
  readonly candidate: number | null;
  readonly kernels: readonly Kernel[];
  readonly causes: readonly string[];
}

export function explainPointwise(value: PointwiseValue): ExplainDocument {
  const { layer, input, sample, channel, x, captured, candidate, kernels } = value;
  const columns = kernels.map((kernel) => columnOf(kernel, value));
  const output = layer.output && isQuantized(layer.output) ? layer.output : null;
  const params = isQuantized(input) ? input : null;
  return {
    format: 'qdiff-explain',
    version: 1,
    layer: layer.name,
    op: layer.op,
    channel,
    sample,
    ...(value.at && { at: value.at }),
    captured,
    candidate,
    candidate_input_codes_differ: null,
    input: {
      name: layer.inputs[0],
      dtype: input.dtype,
      scale: params?.scale ?? null,
      zero_point: params?.zeroPoint ?? null,
      features: 1,
    },
    weight: null,
    output: { dtype: layer.output!.dtype, scale: output?.scale ?? null, zero_point: output?.zeroPoint ?? null },
    activation: 'none',
    products: [],
    columns,
    first_difference: columns.length > 1 && columns[0].value !== columns[1].value ? layer.op : null,
    causes: [...value.causes],
    numpy: snippet(layer, params, elementwiseSteps(kernels.at(-1)!, layer.op)!, x, columns.at(-1)!.value),
  };
}

function columnOf(kernel: Kernel, { layer, input, x, captured }: PointwiseValue): ExplainColumn {
  const data = isQuantized(input) ? Int32Array.of(x) : Float32Array.of(x);
  const shapes = { inputs: [rowOf(1)], output: rowOf(1) };
  const ready = { layer, input, inputs: [input], shapes, weight: null };
  const value = replayLayer(kernel, ready, [{ rows: 1, cols: 1, data }]).data[0];
  const output = layer.output && isQuantized(layer.output) ? layer.output : null;
  const steps = elementwiseSteps(kernel, layer.op)!;
  const made = steps.quantize ? output : null;
  const clamp: [number, number] | null = made && [made.quantMin, made.quantMax];
  return {
    kernel: kernel.name,
    accumulator: null,
    saturating_pairs: [],
    bias: null,
    bias_accumulator_units: null,
    bias_is_int32: false,
    multiplier: null,
    multiplier_bits: null,
    multiplier_fixed: null,
    fixed_point: false,
    steps: [
      { name: 'x', value: x },
      { name: (steps.quantize ?? steps.dequantize ?? steps.rescale)?.name ?? layer.op, value },
    ],
    before_rounding: made && !isQuantized(input) ? x / made.scale : null,
    distance_to_tie: null,
    rounded: null,
    zero_point: output?.zeroPoint ?? null,
    clamp,
    clamped: clamp?.includes(value) ?? false,
    value,
    explains: captured === null ? null : Object.is(value + 0, captured + 0),
  };
}

/** By the kernel's quantize step: numpy of x, s, zp, lo and hi. */
const QUANTIZE: Readonly<Record<string, string>> = {
  quantizeFma: 'np.rint(f32(float(f32(x)) * float(f32(1) / f32(s)) + zp))',
  quantizeDivision: 'np.rint(f32(x) / f32(s)) + zp',
  quantizeDivisionHalfAway: 'round_half_away(f32(x) / f32(s)) + zp',
  quantizeReciprocal: 'np.rint(f32(x) * (f32(1) / f32(s))) + zp',
  quantizeDecomposed: 'np.rint(f32(x) * f32(1 / s)) + zp',
};

function snippet(
  layer: ElementwiseLayer,
  input: QuantParams | null,
  steps: ElementwiseSteps,
  x: number,
  value: number,
): string[] {
  const output = layer.output && isQuantized(layer.output) ? layer.output : null;
  const head = ['import numpy as np; f32 = np.float32', `x = ${x}`];
  if (input && output && (steps.rescale || steps.quantize)) return [...head, `print(${value})  # requantized`];
  if (steps.quantize && output) return [...head, ...quantizeLines(steps.quantize, output, x, value)];
  if (steps.dequantize) {
    const inFloat64 = steps.dequantize.name === 'dequantizeFloat64';
    const formula = inFloat64 ? 'f32(s * (x - zp))' : 'f32(s) * f32(x - zp)';
    return [...head, `s, zp = ${input!.scale}, ${input!.zeroPoint}`, `print(${formula})  # ${value}`];
  }
  const bounds = clampBounds(steps, elementwiseOf(layer, layer.output!));
  if (!bounds) return [...head, 'print(x)'];
  const [lo, hi] = bounds;
  const open = layer.form.clamp!.upper === Number.POSITIVE_INFINITY;
  return [...head, `print(${open ? `max(x, ${lo})` : `min(max(x, ${lo}), ${hi})`})  # ${value}`];
}

function quantizeLines(step: QuantizeStep, output: QuantParams, x: number, value: number): string[] {
  const { scale, zeroPoint, quantMin, quantMax } = output;
  const fused = roundsTwice(step, output, x);
  return [
    ...(step.name === 'quantizeDivisionHalfAway' ? [HALF_AWAY] : []),
    `s, zp, lo, hi = ${scale}, ${zeroPoint}, ${quantMin}, ${quantMax}`,
    `q = ${fused ? `${value}  # FMA: one rounding` : QUANTIZE[step.name]}`,
    `print(int(np.clip(q, lo, hi)))  # ${value}`,
  ];
}

/** Where numpy's two roundings would miss the kernel's fused one. */
function roundsTwice(step: QuantizeStep, { scale, zeroPoint }: QuantParams, x: number): boolean {
  if (step.name !== 'quantizeFma') return false;
  const reciprocal = f32(1 / f32(scale));
  return f32(f32(x) * reciprocal + zeroPoint) !== fma32(f32(x), reciprocal, zeroPoint);
}
