/** One value of a layer that computes each value from one: relu, relu6, identity, quantize, dequantize. */

import type { ExplainColumn, ExplainDocument } from '../../documents/explain.js';
import { elementwiseSteps } from '../../kernels/kernel.js';
import type { DequantizeStep, ElementwiseSteps, Kernel, QuantizeStep, RescaleStep } from '../../nouns/kernel.js';
import type { ElementwiseLayer } from '../../nouns/model.js';
import { isQuantized, type QuantParams, type ValueParams } from '../../nouns/value.js';
import { clampBounds } from '../../replay/elementwise.js';
import { elementwiseOf, replayLayer } from '../../replay/layer.js';
import { rowOf } from '../../tensor/shape.js';
import { helpersOf, IMPORT, noNumpy } from './numpy.js';
import { plainColumn, plainDocument } from './plain.js';
import { isUnwritten, type Unwritten } from './recipe.js';

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
  const { layer, input, x, kernels } = value;
  const columns = kernels.map((kernel) => columnOf(kernel, value));
  const params = isQuantized(input) ? input : null;
  return plainDocument({
    ...value,
    columns,
    firstDifference: columns.length > 1 && columns[0].value !== columns[1].value ? layer.op : null,
    numpy: snippet(layer, params, elementwiseSteps(kernels.at(-1)!, layer)!, x, columns.at(-1)!.value),
  });
}

function columnOf(kernel: Kernel, { layer, input, x, captured }: PointwiseValue): ExplainColumn {
  const data = isQuantized(input) ? Int32Array.of(x) : Float32Array.of(x);
  const shapes = { inputs: [rowOf(1)], output: rowOf(1) };
  const ready = { layer, input, inputs: [input], shapes, weight: null };
  const value = replayLayer(kernel, ready, [{ rows: 1, cols: 1, data }]).data[0];
  const output = layer.output && isQuantized(layer.output) ? layer.output : null;
  const steps = elementwiseSteps(kernel, layer)!;
  const made = steps.quantize ? output : null;
  const clamp: [number, number] | null = made && [made.quantMin, made.quantMax];
  const column = {
    kernel: kernel.name,
    steps: [
      { name: 'x', value: x },
      { name: (steps.quantize ?? steps.dequantize ?? steps.rescale)?.name ?? layer.op, value },
    ],
    before_rounding: made && !isQuantized(input) ? x / made.scale : null,
    zero_point: output?.zeroPoint ?? null,
    clamp,
    clamped: clamp?.includes(value) ?? false,
    value,
  };
  return plainColumn(column, captured);
}

function snippet(
  layer: ElementwiseLayer,
  input: QuantParams | null,
  steps: ElementwiseSteps,
  x: number,
  value: number,
): string[] {
  const output = layer.output && isQuantized(layer.output) ? layer.output : null;
  if (steps.rescale) return assembled(x, rescaleLines(steps.rescale, input!, output!, x, value));
  if (steps.dequantize && steps.quantize) {
    return assembled(x, requantizeLines(steps.dequantize, steps.quantize, input!, output!, x, value));
  }
  if (steps.quantize) return assembled(x, quantizeLines(steps.quantize, output!, x, value));
  if (steps.dequantize) return assembled(x, dequantizeLines(steps.dequantize, input!, value));
  const bounds = clampBounds(steps, elementwiseOf(layer, layer.output!));
  if (!bounds) return assembled(x, ['print(x)']);
  const [lo, hi] = bounds;
  const open = layer.form.clamp!.upper === Number.POSITIVE_INFINITY;
  return assembled(x, [`print(${open ? `max(x, ${lo})` : `min(max(x, ${lo}), ${hi})`})  # ${value}`]);
}

type Lines = readonly string[] | Unwritten;

function assembled(x: number, lines: Lines): string[] {
  if (isUnwritten(lines)) return [noNumpy(lines.unwritten)];
  return [IMPORT, `x = ${pythonFloat(x)}`, ...helpersOf(lines), ...lines];
}

function pythonFloat(x: number): string {
  return Number.isFinite(x) ? String(x) : `float("${String(x).replace('Infinity', 'inf').toLowerCase()}")`;
}

const OWN = { x: 'x', s: 's', zp: 'zp' };

function dequantizeLines(step: DequantizeStep, { scale, zeroPoint }: QuantParams, value: number): Lines {
  if (!step.numpy) return { unwritten: step };
  return [`s, zp = ${scale}, ${zeroPoint}`, `print(${step.numpy(OWN)})  # ${value}`];
}

/** real: what numpy calls `name`. */
function quantizeLines(step: QuantizeStep, output: QuantParams, real: number, value: number, name = 'x'): Lines {
  const { dtype, scale, zeroPoint, quantMin, quantMax } = output;
  if (!step.numpy) return { unwritten: step };
  // beyond int64 numpy rounds no further
  const q =
    Math.abs(real / scale) < 2 ** 62 ? step.numpy({ ...OWN, x: name }, output, real) : `${value}  # beyond int64`;
  // float32 does not hold the largest int32
  const code = dtype === 'int32' ? 'int(min(max(float(q), lo), hi))' : 'int(np.clip(q, lo, hi))';
  return [`s, zp, lo, hi = ${scale}, ${zeroPoint}, ${quantMin}, ${quantMax}`, `q = ${q}`, `print(${code})  # ${value}`];
}

/** Through reals: v. */
function requantizeLines(
  read: DequantizeStep,
  write: QuantizeStep,
  input: QuantParams,
  output: QuantParams,
  code: number,
  value: number,
): Lines {
  if (!read.numpy) return { unwritten: read };
  const real = read.prepare(input)(code);
  const lines = quantizeLines(write, output, real, value, 'v');
  if (isUnwritten(lines)) return lines;
  const names = { x: 'x', s: 'sx', zp: 'zx' };
  return [`sx, zx = ${input.scale}, ${input.zeroPoint}`, `v = ${read.numpy(names)}`, ...lines];
}

/** Without reals: d. */
function rescaleLines(step: RescaleStep, input: QuantParams, output: QuantParams, code: number, value: number): Lines {
  if (!step.numpy) return { unwritten: step };
  return [
    `sx, zx, sy, zy = ${input.scale}, ${input.zeroPoint}, ${output.scale}, ${output.zeroPoint}`,
    'd = x - zx',
    ...step.numpy(input, output, code - input.zeroPoint),
    `print(min(max(q + zy, ${output.quantMin}), ${output.quantMax}))  # ${value}`,
  ];
}
