/**
 * ONNX Runtime's operators on codes, x86 with FMA. sa, sb, sx, sy: scales; a, b: codes; d: centred ones. Source: MLAS, and 131.7
 * million values of 1.32.0. int8 tensors of QDQ models may run as uint8, all codes and zero points + 128: where that changes a
 * rounding, both codes are possible.
 */
import type { AdaptivePoolAttributes, AveragePoolAttributes, SlopeAttributes } from '../../nouns/attributes.js';
import type { Computed, TensorCall, TensorSteps } from '../../nouns/kernel.js';
import type { QuantParams } from '../../nouns/value.js';
import { f32, fma32 } from '../../numeric/float.js';
import { clamp, convertToInt32 } from '../../numeric/integer.js';
import { roundHalfEven } from '../../numeric/round.js';
import { windowCovers } from '../../tensor/covers.js';
import { sameDims, sizeOf } from '../../tensor/shape.js';
import { boundedCodes } from './bounded.js';
import { quantized, reader } from './call.js';
import { dequantizeFloat32 } from './dequantize.js';
import { type Covered, imageOf, overWindows, placesOf, sumOf } from './pool.js';
import { quantizeDivision } from './quantize.js';
import { tensorSteps } from './tensor.js';

/** The parameters and codes as given, and for int8 as uint8 besides. */
function asWritten(call: TensorCall, codeOf: (shift: number) => (element: number) => number): Computed {
  const { dtype } = quantized(call.output);
  const own = codeOf(0);
  const other = dtype === 'int8' ? codeOf(128) : own;
  return boundedCodes(call.samples * sizeOf(call.output.shape.dims), (i) => {
    const [near, also] = [own(i), other(i)];
    return { low: Math.min(near, also), near, high: Math.max(near, also) };
  });
}

/** Whether the first operand is one value over the innermost span; then the two change places. */
function isScalarFirst({ inputs, ofCall }: TensorCall): boolean {
  const [a, b] = inputs.map(({ shape }) => shape.dims);
  for (let i = 1; i <= Math.max(a.length, b.length); i++) {
    const [own, other] = [a.at(-i) ?? 1, b.at(-i) ?? 1];
    if (own !== 1 || other !== 1) return own === 1;
  }
  return ofCall === 1;
}

export const addOnnxRuntime: TensorSteps = tensorSteps(
  'rint(fma(a, sa / sy, fma(b, sb / sy, zp - t))), t = fma(sa / sy, za, sb / sy * zb)',
  (call) => {
    const [first, second] = isScalarFirst(call) ? [1, 0] : [0, 1];
    const [a, b] = [call.inputs[first], call.inputs[second]].map(quantized);
    const output = quantized(call.output);
    const [readA, readB] = [reader(call, first), reader(call, second)];
    const [ra, rb] = [a, b].map(({ scale }) => f32(f32(scale) / f32(output.scale)));
    return asWritten(call, (shift) => {
      const t = fma32(ra, a.zeroPoint + shift, f32(rb * (b.zeroPoint + shift)));
      const fixed = f32(output.zeroPoint + shift - t);
      return (i) => {
        const steps = fma32(readA(i) + shift, ra, fma32(readB(i) + shift, rb, fixed));
        return clamp(convertToInt32(steps) - shift, output.quantMin, output.quantMax);
      };
    });
  },
);

export const multiplyOnnxRuntime: TensorSteps = tensorSteps('rint(da * db * (sa * sb / sy) + zp)', (call) => {
  const [a, b, output] = [...call.inputs, call.output].map(quantized);
  const [readA, readB] = [reader(call, 0), reader(call, 1)];
  const multiplier = f32(f32(f32(a.scale) * f32(b.scale)) / f32(output.scale));
  return asWritten(call, (shift) => (i) => {
    const product = (readA(i) - a.zeroPoint) * (readB(i) - b.zeroPoint);
    const steps = f32(f32(product * multiplier) + output.zeroPoint + shift);
    return clamp(convertToInt32(steps) - shift, output.quantMin, output.quantMax);
  });
});

/** A function of a dequantized code, quantized. */
function table(equation: string, functionOf: (attributes: unknown) => (x: number) => number): TensorSteps {
  return tensorSteps(equation, ({ inputs: [input], output, attributes }) => {
    const [real, code] = [dequantizeFloat32.prepare(quantized(input)), quantizeDivision.prepare(quantized(output))];
    const apply = functionOf(attributes);
    return Int32Array.from(input.data, (x) => code(apply(real(x))));
  });
}

export const leakyReluOnnxRuntime = table('quantize(x >= 0 ? x : alpha * x)', (attributes) => {
  const alpha = f32((attributes as SlopeAttributes).negativeSlope);
  return (x) => (x >= 0 ? x : f32(alpha * x));
});

const NUMERATOR = [
  4.37031012579801e-11, 1.15627324459942e-7, 6.08574864600143e-5, 8.51377133304701e-3, 2.48287947061529e-1,
];
const DENOMINATOR = [
  6.10247389755681e-13, 5.76102136993427e-9, 6.2910678501704e-6, 1.70198817374094e-3, 1.16817656904453e-1,
  9.9315192102318e-1,
];

const polynomial = (x: number, [first, ...rest]: readonly number[]) =>
  rest.reduce((sum, next) => fma32(sum, x, f32(next)), f32(first));

/** MLAS's rational function on [-18, 18]. */
export const sigmoidOnnxRuntime = table('quantize(x * P(x * x) / Q(x * x) + 0.5)', () => (given) => {
  const x = clamp(given, -18, 18);
  const square = f32(x * x);
  const ratio = f32(f32(polynomial(square, NUMERATOR) * x) / polynomial(square, DENOMINATOR));
  return Math.max(0, f32(ratio + 0.5));
});

/** sum: of centred codes of one channel. */
function meanOf(output: QuantParams, input: QuantParams, count: number): (sum: number) => number {
  const multiplier = f32(f32(input.scale) / f32(f32(output.scale) * f32(count)));
  const { zeroPoint, quantMin, quantMax } = output;
  return (sum) =>
    roundHalfEven(clamp(f32(f32(sum) * multiplier), quantMin - zeroPoint, quantMax - zeroPoint)) + zeroPoint;
}

function globalAverage(call: TensorCall): Int32Array {
  const { params, shape } = imageOf(call);
  const input = quantized({ params });
  const places = placesOf(shape);
  const code = meanOf(quantized(call.output), input, sizeOf(places));
  const all = {
    kernel: places,
    stride: places,
    padding: places.map(() => [0, 0] as const),
    dilation: places.map(() => 1),
    transposed: null,
  };
  return overWindows(call, windowCovers(all, places), (covered) =>
    code(sumOf(covered) - input.zeroPoint * sizeOf(places)),
  );
}

/** Over all places; ONNX has no other adaptive mean. */
export const globalAveragePoolOnnxRuntime: TensorSteps = {
  ...tensorSteps('rint(sum of d * (sx / (sy * n))) + zp', globalAverage),
  lacks: ({ attributes }) =>
    (attributes as AdaptivePoolAttributes).size.every((places) => places === 1) ? null : 'more than one place',
};

/** One window over the whole image is a global mean. */
const averagePool: TensorSteps = tensorSteps('rint((sum of sx * d, tap by tap in float32) / n / sy + zp)', (call) => {
  const { window, countIncludePad, divisor } = call.attributes as AveragePoolAttributes;
  const input = imageOf(call);
  const places = placesOf(input.shape);
  const isWhole = sameDims(window.kernel, places) && window.padding.every((ends) => ends[0] + ends[1] === 0);
  if (isWhole) return globalAverage(call);
  const output = quantized(call.output);
  const real = dequantizeFloat32.prepare(quantized(input));
  const meanIn = ({ cover, code }: Covered) => {
    let sum = 0;
    for (let i = 0; i < cover.places.length; i++) sum = f32(sum + real(code(i)));
    const mean = f32(sum / (divisor ?? sizeOf(countIncludePad ? window.kernel : cover.inside)));
    return f32(mean / f32(output.scale));
  };
  const codes = (shift: number) =>
    overWindows(call, windowCovers(window, places), (covered) =>
      clamp(roundHalfEven(f32(meanIn(covered) + output.zeroPoint + shift)) - shift, output.quantMin, output.quantMax),
    );
  return asWritten(call, (shift) => {
    const data = codes(shift);
    return (i) => data[i];
  });
});

export const averagePoolOnnxRuntime: TensorSteps = {
  ...averagePool,
  lacks: ({ attributes }) => ((attributes as AveragePoolAttributes).divisor === null ? null : 'a divisor of its own'),
};
