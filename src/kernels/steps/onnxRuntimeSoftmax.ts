/** QLinearSoftmax: a table of float32 exponentials, their sum in order, one division in float64. */
import type { AxisAttributes } from '../../nouns/attributes.js';
import type { Host } from '../../nouns/host.js';
import type { TensorCall, TensorSteps } from '../../nouns/kernel.js';
import type { QuantParams } from '../../nouns/value.js';
import { f32 } from '../../numeric/float.js';
import { clamp } from '../../numeric/integer.js';
import { floor, roundHalfEven } from '../../numeric/round.js';
import { axisOf, checkedAxes } from '../../tensor/axes.js';
import { reducedAxes } from '../../tensor/reduced.js';
import { sizeOf } from '../../tensor/shape.js';
import { ofLayer, quantized } from './call.js';
import { tensorSteps } from './tensor.js';

const FLOAT32_MAX = 3.4028234663852886e38;

/** The zero point of the input takes no part; 1 / sy is rounded down: at sy = 1/255.5 results are scaled by 255. */
export const softmaxOnnxRuntime: TensorSteps = tensorSteps(
  'rint(e[x - max] * floor(1 / sy) / sum of e) + zp, e[i] = f32(exp(i * sx + a shift that keeps the sum finite))',
  (call) => {
    const { dims } = call.inputs[0].shape;
    const axis = checkedAxes(axisOf((call.attributes as AxisAttributes).dim, call.inputs[0].shape));
    const { first, step, count, size } = reducedAxes(dims, [axis]);
    const all = sizeOf(dims);
    const out = new Int32Array(call.samples * all);
    const row = rowOf(call, count, tableOf(call));
    for (let sample = 0; sample < call.samples; sample++) {
      for (let i = 0; i < size; i++) row(out, sample * all + first[i], step);
    }
    return out;
  },
);

const tableOf = ofLayer(({ inputs: [input], attributes }) => {
  const { count } = reducedAxes(input.shape.dims, [
    checkedAxes(axisOf((attributes as AxisAttributes).dim, input.shape)),
  ]);
  const { scale } = quantized(input);
  const shift = Math.max(0, f32(Math.log(f32(FLOAT32_MAX / f32(count)))) - 5) / f32(scale);
  return Float64Array.from({ length: 256 }, (_, i) => f32(Math.exp((i - 255 + shift) * f32(scale))));
});

/** One softmax over `count` codes, which lie at start + step. */
function rowOf({ inputs: [input], output, host }: TensorCall, count: number, table: Float64Array) {
  const { scale } = quantized(output);
  const factor = floor(f32(1 / f32(scale)));
  const code = isOld(host) ? oldCode(quantized(output), factor) : newCode(quantized(output), factor);
  const { data } = input;
  return (out: Int32Array, start: number, step: Int32Array) => {
    let max = Number.NEGATIVE_INFINITY;
    for (let k = 0; k < count; k++) max = Math.max(max, data[start + step[k]]);
    let sum = 0;
    for (let k = 0; k < count; k++) sum = f32(sum + table[255 + data[start + step[k]] - max]);
    for (let k = 0; k < count; k++) out[start + step[k]] = code(table[255 + data[start + step[k]] - max], sum);
  };
}

function newCode({ zeroPoint, quantMin, quantMax }: QuantParams, factor: number) {
  return (e: number, sum: number) => clamp(roundHalfEven((e * factor) / sum) + zeroPoint, quantMin, quantMax);
}

/** All in float32, infinities and NaN become 0; int8 is cut at 255 and wraps: a probability near 1 becomes -128. */
function oldCode({ zeroPoint, dtype }: QuantParams, factor: number) {
  return (e: number, sum: number) => {
    const steps = f32(f32(e * factor) / sum);
    const code = Math.min((Number.isFinite(steps) ? roundHalfEven(steps) : 0) + zeroPoint, 255);
    return dtype === 'int8' ? ((code + 128) & 255) - 128 : code;
  };
}

/** Up to 1.28, as run. */
function isOld({ version }: Host): boolean {
  return version !== null && (version[0] < 1 || (version[0] === 1 && (version[1] ?? 0) < FIRST_MENDED));
}

const FIRST_MENDED = 29;
