/** One value of a layer that computes each value from one: relu, relu6, identity, quantize, dequantize. */

import type { Kernel } from '../../nouns/kernel.js';
import type { Layer } from '../../nouns/model.js';
import { isQuantized, type QuantParams, type ValueParams } from '../../nouns/value.js';
import { f32, fma32 } from '../../numeric/float.js';
import { replayLayer } from '../../replay/layer.js';
import type { ExplainColumn, ExplainDocument } from './explain.js';

export interface PointwiseValue {
  readonly layer: Layer;
  readonly input: ValueParams;
  readonly sample: number;
  readonly channel: number;
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
    captured,
    candidate,
    candidate_input_codes_differ: null,
    input: {
      name: layer.input,
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
    numpy: snippet(layer, params, kernels.at(-1)!, x, columns.at(-1)!.value),
  };
}

function columnOf(kernel: Kernel, { layer, input, x, captured }: PointwiseValue): ExplainColumn {
  const data = isQuantized(input) ? Int32Array.of(x) : Float32Array.of(x);
  const value = replayLayer(kernel, { layer, input, weight: null }, { rows: 1, cols: 1, data }).data[0];
  const clamp: [number, number] | null =
    layer.op === 'quantize' ? [layer.output.quantMin, layer.output.quantMax] : null;
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
      { name: stepName(layer, kernel), value },
    ],
    before_rounding: layer.op === 'quantize' ? x / layer.output.scale : null,
    distance_to_tie: null,
    rounded: null,
    zero_point: layer.output && isQuantized(layer.output) ? layer.output.zeroPoint : null,
    clamp,
    clamped: clamp?.includes(value) ?? false,
    value,
    explains: captured === null ? null : Object.is(value + 0, captured + 0),
  };
}

function stepName(layer: Layer, kernel: Kernel): string {
  if (layer.op === 'quantize') return kernel.quantize.name;
  if (layer.op === 'dequantize') return kernel.dequantize.name;
  return layer.op;
}

/** By the kernel's quantize step: numpy of x, s, zp, lo and hi. */
const QUANTIZE: Readonly<Record<string, string>> = {
  quantizeFma: 'np.rint(f32(float(f32(x)) * float(f32(1) / f32(s)) + zp))',
  quantizeDivision: 'np.rint(f32(x) / f32(s)) + zp',
  quantizeDivisionHalfAway: 'round_half_away(f32(x) / f32(s)) + zp',
  quantizeReciprocal: 'np.rint(f32(x) * (f32(1) / f32(s))) + zp',
  quantizeDecomposed: 'np.rint(f32(x) * f32(1 / s)) + zp',
};

function snippet(layer: Layer, input: QuantParams | null, kernel: Kernel, x: number, value: number): string[] {
  const head = ['import numpy as np; f32 = np.float32', `x = ${x}`];
  switch (layer.op) {
    case 'quantize': {
      const { scale, zeroPoint, quantMin, quantMax } = layer.output;
      return [
        ...head,
        ...(kernel.quantize.name === 'quantizeDivisionHalfAway'
          ? ['round_half_away = lambda v: np.copysign(int(abs(v)) + (abs(v) % 1 >= 0.5), v)']
          : []),
        `s, zp, lo, hi = ${scale}, ${zeroPoint}, ${quantMin}, ${quantMax}`,
        `q = ${roundsTwice(kernel, layer.output, x) ? `${value}  # FMA: one rounding` : QUANTIZE[kernel.quantize.name]}`,
        `print(int(np.clip(q, lo, hi)))  # ${value}`,
      ];
    }
    case 'dequantize':
      return [
        ...head,
        `s, zp = ${input!.scale}, ${input!.zeroPoint}`,
        `print(${kernel.dequantize.name === 'dequantizeFloat64' ? 'f32(s * (x - zp))' : 'f32(s) * f32(x - zp)'})  # ${value}`,
      ];
    case 'relu':
    case 'relu6': {
      const output = isQuantized(layer.output) ? layer.output : null;
      const lo = output?.zeroPoint ?? 0;
      const hi = layer.op === 'relu' ? null : output ? kernel.relu6(output) : 6;
      return [...head, `print(${hi === null ? `max(x, ${lo})` : `min(max(x, ${lo}), ${hi})`})  # ${value}`];
    }
    default:
      return [...head, 'print(x)'];
  }
}

/** Where numpy's two roundings would miss the kernel's fused one. */
function roundsTwice(kernel: Kernel, { scale, zeroPoint }: QuantParams, x: number): boolean {
  if (kernel.quantize.name !== 'quantizeFma') return false;
  const reciprocal = f32(1 / f32(scale));
  return f32(f32(x) * reciprocal + zeroPoint) !== fma32(f32(x), reciprocal, zeroPoint);
}
