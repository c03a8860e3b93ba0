/** exp(x) / sum of exp(x) along an axis. */
import type { AxisAttributes } from '../../nouns/attributes.js';
import type { Computed, QuantizeStep, TensorCall, TensorSteps } from '../../nouns/kernel.js';
import { float64s, int32s } from '../../numeric/array.js';
import { largestOf, smallestOf } from '../../numeric/extremes.js';
import { f32 } from '../../numeric/float.js';
import { floor, roundHalfEven } from '../../numeric/round.js';
import { axisOf, checkedAxes } from '../../tensor/axes.js';
import { sizeOf } from '../../tensor/shape.js';
import { boundedCodes, codesOf, type Near, UNIT } from './bounded.js';
import { ofLayer, quantized, roomForCodes } from './call.js';
import { dequantizeFloat32 } from './dequantize.js';
import { quantizeDecomposed, quantizeFma } from './quantize.js';
import { tensorSteps } from './tensor.js';

/** PyTorch's vector code has an exp of 20 ULP. */
const EXP_ERROR = 40 * UNIT;
/** Far below any scale: what denormal numbers may lose. */
const TINY = 1e-37;

/** Floats: neither exp nor the order of the sum is known bit by bit, so a value next to a tie may be either code. */
function softmaxFloats(quantize: QuantizeStep): TensorSteps {
  return tensorSteps('quantize(exp(x - max) / sum of exp(x - max)), float32 in any order', (call) => {
    const real = dequantizeFloat32.prepare(quantized(call.inputs[0]));
    const code = quantize.prepare(quantized(call.output));
    return alongLines(call, (codes) => {
      const near = softmaxOf(float64s(codes, real));
      return (k) => codesOf(near(k), code);
    });
  });
}

export const softmaxAten = softmaxFloats(quantizeFma);
export const softmaxDecomposed = softmaxFloats(quantizeDecomposed);

/** What errs: exp above and below, what the arguments lost, a sum of positive numbers, the quotient. */
function softmaxOf(x: Float64Array): (k: number) => Near {
  const [max, min] = [largestOf(x), smallestOf(x)];
  const relative = 2 * (EXP_ERROR + (max - min) * UNIT) + (x.length + 4) * UNIT;
  let sum = 0;
  for (let k = 0; k < x.length; k++) sum += x[k] = Math.exp(x[k] - max);
  return (k) => {
    const exact = x[k] / sum;
    return { low: f32(exact * (1 - relative) - TINY), near: f32(exact), high: f32(exact * (1 + relative) + TINY) };
  };
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
  return alongLines(call, (codes) => {
    const max = largestOf(codes);
    const e = float64s(codes, (code) => table[code + 255 - max]);
    const sum = e.reduce((total, one) => total + one, 0);
    return (k) => {
      const code = Math.min(floor((256 * e[k] + floor(sum / 2)) / sum), 255);
      return { low: code, near: code, high: code };
    };
  });
}

/** ofLine: of the codes of a line, what each becomes. */
function alongLines(call: TensorCall, ofLine: (codes: Int32Array) => (k: number) => Near): Computed {
  const [{ data }] = call.inputs;
  const { count, step } = linesOf(call);
  const lines: ((k: number) => Near)[] = []; // of a value of 50,000 no list of what each becomes
  const codesAt = (i: number) => {
    const [k, line] = [floor(i / step) % count, i % step];
    if (k === 0) lines[line] = ofLine(int32s({ length: count }, (_, own) => data[i + own * step]));
    return lines[line](k);
  };
  return boundedCodes(data.length, codesAt, () => roomForCodes(call));
}

/** Lines along the axis: how many values each has, and how far they lie apart. */
function linesOf({ inputs: [{ shape }], attributes }: TensorCall) {
  const axis = checkedAxes(axisOf((attributes as AxisAttributes).dim, shape));
  return { count: shape.dims[axis], step: sizeOf(shape.dims.slice(axis + 1)) };
}
