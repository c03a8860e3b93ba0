/** exp(x) / sum of exp(x) along an axis. */
import type { AxisAttributes } from '../../nouns/attributes.js';
import type { Computed, QuantizeStep, TensorCall, TensorSteps, TensorValue } from '../../nouns/kernel.js';
import { largestOf, smallestOf } from '../../numeric/extremes.js';
import { f32 } from '../../numeric/float.js';
import { floor, roundHalfEven } from '../../numeric/round.js';
import { linesAlong } from '../../tensor/axes.js';
import { UNIT } from './bounded.js';
import { BoundedCodes, type Reals } from './boundedMany.js';
import { ofLayer, quantized, remembered, roomForCodes } from './call.js';
import { dequantizeFloat32 } from './dequantize.js';
import { FURTHEST } from './floatAxes.js';
import { quantizeDecomposed, quantizeFma } from './quantize.js';
import { tensorSteps } from './tensor.js';

/** PyTorch's vector code has an exp of 20 ULP. */
const EXP_ERROR = 40 * UNIT;
/** Far below any scale: what denormal numbers may lose. */
const TINY = 1e-37;

/** Floats: neither exp nor the order of the sum is known bit by bit, so a value next to a tie may be either code. */
function softmaxFloats(quantize: QuantizeStep): TensorSteps {
  return tensorSteps('quantize(exp(x - max) / sum of exp(x - max)), float32 in any order', (call) => {
    const input = quantized(call.inputs[0]);
    const real = remembered(input, dequantizeFloat32.prepare(input));
    const codes = new BoundedCodes(call, quantize.prepare(quantized(call.output)));
    const { count, step } = linesOf(call);
    const x = new Float64Array(count);
    const [low, near, high] = [new Float32Array(count), new Float32Array(count), new Float32Array(count)];
    const reals = { count, low, near, high };
    eachLine(call, ({ data }, start) => {
      for (let k = 0, at = start; k < count; k++, at += step) x[k] = real(data[at]);
      softmaxOf(x, reals);
      codes.set(reals, start, step);
    });
    return codes.result;
  });
}

export const softmaxAten = softmaxFloats(quantizeFma);
export const softmaxDecomposed = softmaxFloats(quantizeDecomposed);

/** What errs: exp above and below, what the arguments lost, a sum of positive numbers, the quotient. x is overwritten. */
function softmaxOf(x: Float64Array, { low, near, high }: Omit<Reals, 'from'>): void {
  const [max, min] = [largestOf(x), smallestOf(x)];
  const relative = 2 * (EXP_ERROR + Math.min(max - min, FURTHEST) * UNIT) + (x.length + 4) * UNIT;
  let sum = 0;
  for (let k = 0; k < x.length; k++) sum += x[k] = Math.exp(x[k] - max);
  for (let k = 0; k < x.length; k++) {
    const exact = x[k] / sum;
    low[k] = exact * (1 - relative) - TINY;
    near[k] = exact;
    high[k] = exact * (1 + relative) + TINY;
  }
}

const LARGEST = 2 ** 32 - 1;
const MOST_A_VALUE = 8388607;

/** QNNPACK, uint8 to 1/256 and 0: integers from a table of 256; the input's zero point takes no part. ATen's code elsewhere. */
export const softmaxQnnpack: TensorSteps = {
  ...softmaxAten,
  run(call) {
    const [input, { dtype, scale, zeroPoint }] = [...call.inputs, call.output].map(quantized);
    const isTaken = input.dtype === 'uint8' && dtype === 'uint8' && scale === 1 / 256 && zeroPoint === 0;
    return isTaken ? inIntegers(call) : softmaxAten.run(call);
  },
};

const powersOf = ofLayer((call) => {
  const unit = Math.min(LARGEST / linesOf(call).count, MOST_A_VALUE);
  const scale = f32(quantized(call.inputs[0]).scale);
  return Array.from({ length: 256 }, (_, i) => roundHalfEven(unit * Math.exp((i - 255) * scale)));
});

/** floor((256 * e + sum / 2) / sum); sums stay below 2^32. */
function inIntegers(call: TensorCall): Computed {
  const table = powersOf(call);
  const { count, step } = linesOf(call);
  const [e, codes] = [new Float64Array(count), roomForCodes(call)];
  eachLine(call, ({ data }, start) => {
    let [max, sum] = [Number.NEGATIVE_INFINITY, 0];
    for (let k = 0, at = start; k < count; k++, at += step) max = Math.max(max, data[at]);
    for (let k = 0, at = start; k < count; k++, at += step) sum += e[k] = table[data[at] + 255 - max];
    for (let k = 0, at = start; k < count; k++, at += step)
      codes[at] = Math.min(floor((256 * e[k] + floor(sum / 2)) / sum), 255);
  });
  return codes;
}

/** Where each begins. */
function eachLine(call: TensorCall, visit: (input: TensorValue, start: number) => void): void {
  const [input] = call.inputs;
  const { count, step } = linesOf(call);
  for (let from = 0; from < input.data.length; from += count * step)
    for (let line = 0; line < step; line++) visit(input, from + line);
}

function linesOf({ inputs: [{ shape }], attributes }: TensorCall) {
  return linesAlong((attributes as AxisAttributes).dim, shape);
}
