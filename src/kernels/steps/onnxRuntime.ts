/**
 * ONNX Runtime's sums, products and tables on codes. sa, sb, sx, sy: scales; a, b: codes; d: centred ones. Source: MLAS, and 131.7
 * million values of 1.32.0.
 */
import type { SlopeAttributes } from '../../nouns/attributes.js';
import type { Host } from '../../nouns/host.js';
import type { Computed, TensorCall, TensorSteps } from '../../nouns/kernel.js';
import type { QuantParams } from '../../nouns/value.js';
import { f32, fma32 } from '../../numeric/float.js';
import { clamp, convertToInt32, saturateInt16 } from '../../numeric/integer.js';
import { floor, roundHalfEven } from '../../numeric/round.js';
import { sizeOf } from '../../tensor/shape.js';
import { boundedCodes } from './bounded.js';
import { fill, quantized, reader } from './call.js';
import { dequantizeFloat32 } from './dequantize.js';
import { quantizeDivision } from './quantize.js';
import { tensorSteps } from './tensor.js';

/**
 * Codes of what adds the zero point before it rounds: ties depend on whether int8 runs as uint8, all + 128. Where the model does not
 * say, both codes are possible.
 */
export function asRun(call: TensorCall, codeOf: (shift: number) => (element: number) => number): Computed {
  const { dtype } = quantized(call.output);
  if (dtype !== 'int8') return fill(call, codeOf(0));
  if (call.ranAs) return fill(call, codeOf(call.ranAs.codes === 'uint8' ? 128 : 0));
  const [own, other] = [codeOf(0), codeOf(128)];
  return boundedCodes(call.samples * sizeOf(call.output.shape.dims), (i) => {
    const [near, also] = [own(i), other(i)];
    return { low: Math.min(near, also), near, high: Math.max(near, also) };
  });
}

/** Which operand is one value over the innermost span: the first changes places with the second then. */
function scalarSide({ inputs, ofCall }: TensorCall): 'first' | 'second' | null {
  const [a, b] = inputs.map(({ shape }) => shape.dims);
  for (let i = 1; i <= Math.max(a.length, b.length); i++) {
    const [own, other] = [a.at(-i) ?? 1, b.at(-i) ?? 1];
    if (own === 1 && other === 1) continue;
    if (own === 1) return 'first';
    return other === 1 ? 'second' : null;
  }
  return ofCall === 1 ? 'first' : null;
}

interface Addends {
  readonly a: QuantParams;
  readonly b: QuantParams;
  readonly output: QuantParams;
  readonly readA: (element: number) => number;
  readonly readB: (element: number) => number;
  /** Scales by that of the output. */
  readonly ra: number;
  readonly rb: number;
  /** The second is one value over the innermost span. */
  readonly isScalar: boolean;
}

function addendsOf(call: TensorCall): Addends {
  const side = scalarSide(call);
  const [first, second] = side === 'first' ? [1, 0] : [0, 1];
  const [a, b] = [call.inputs[first], call.inputs[second]].map(quantized);
  const output = quantized(call.output);
  const [ra, rb] = [a, b].map(({ scale }) => f32(f32(scale) / f32(output.scale)));
  const [readA, readB] = [reader(call, first), reader(call, second)];
  return { a, b, output, readA, readB, ra, rb, isScalar: side !== null };
}

/** On ARM in fixed point, elsewhere in float32 with the zero point in it. cpu: where it is not the call's. */
export function addOnnxRuntime(cpu?: Host['cpu']): TensorSteps {
  return tensorSteps(
    'rint(fma(a, sa / sy, fma(b, sb / sy, zp - t))), t = fma(sa / sy, za, sb / sy * zb); ARM: fixed point of 22 bits',
    (call) => ((cpu ?? call.host.cpu) === 'neon' ? addOnArm(call) : addOnX86(call, (cpu ?? call.host.cpu) === 'fma')),
  );
}

function addOnX86(call: TensorCall, fused: boolean): Computed {
  const { a, b, output, readA, readB, ra, rb, isScalar } = addendsOf(call);
  const add: (x: number, y: number, sum: number) => number = fused ? fma32 : (x, y, sum) => f32(sum + f32(x * y));
  return asRun(call, (shift) => {
    const t = add(ra, a.zeroPoint + shift, f32(rb * (b.zeroPoint + shift)));
    const fixed = f32(output.zeroPoint + shift - t);
    // without FMA the first product comes first, but where the second is one value
    const bFirst = fused || isScalar;
    return (i) => {
      const [x, y] = [readA(i) + shift, readB(i) + shift];
      const steps = bFirst ? add(x, ra, add(y, rb, fixed)) : add(y, rb, add(x, ra, fixed));
      return clamp(convertToInt32(steps) - shift, output.quantMin, output.quantMax);
    };
  });
}

const [SMALLEST_RATIO, LARGEST_RATIO] = [2 ** -14, 2 ** 8];

/** Multipliers of 22 bits and one shift, halves away from zero; floats where the scales are too far apart. */
function addOnArm(call: TensorCall): Computed {
  const addends = addendsOf(call);
  const { a, b, output, readA, readB, ra, rb } = addends;
  const shift = shiftOf(ra, rb);
  if (shift === null) return addFloatsOnArm(call, addends);
  const unit = 2 ** shift;
  const [ma, mb] = [ra, rb].map((ratio) => roundHalfEven(f32(ratio * unit)));
  return fill(call, (i) => {
    const sum = (readA(i) - a.zeroPoint) * ma + (readB(i) - b.zeroPoint) * mb;
    const rounded = floor((sum + (sum < 0 ? -1 : 0) + unit / 2) / unit);
    const code = saturateInt16(saturateInt16(rounded) + output.zeroPoint);
    return clamp(code, output.quantMin, output.quantMax);
  });
}

/** Null: no shift gives the larger multiplier 22 bits. */
function shiftOf(ra: number, rb: number): number | null {
  if (![ra, rb].every((ratio) => ratio >= SMALLEST_RATIO && ratio < LARGEST_RATIO)) return null;
  const shift = 21 - floor(Math.log2(Math.max(ra, rb)));
  if (shift < 13 || shift > 31) return null;
  const multipliers = [ra, rb].map((ratio) => roundHalfEven(f32(ratio * 2 ** shift)));
  const isWide = multipliers.some((multiplier) => multiplier >= 0x200000);
  return isWide && multipliers.every((multiplier) => multiplier < 0x400000) ? shift : null;
}

function addFloatsOnArm(call: TensorCall, { a, b, output, readA, readB }: Addends): Computed {
  const { quantMin, quantMax, zeroPoint } = output;
  const [realA, realB] = [a, b].map((params) => dequantizeFloat32.prepare(params));
  return fill(call, (i) => {
    const steps = f32(f32(realA(readA(i)) + realB(readB(i))) / f32(output.scale));
    return roundHalfEven(f32(clamp(steps, quantMin - zeroPoint, quantMax - zeroPoint) + zeroPoint));
  });
}

export const multiplyOnnxRuntime: TensorSteps = tensorSteps('rint(da * db * (sa * sb / sy) + zp)', (call) => {
  const [a, b, output] = [...call.inputs, call.output].map(quantized);
  const [readA, readB] = [reader(call, 0), reader(call, 1)];
  const multiplier = f32(f32(f32(a.scale) * f32(b.scale)) / f32(output.scale));
  return asRun(call, (shift) => (i) => {
    const product = (readA(i) - a.zeroPoint) * (readB(i) - b.zeroPoint);
    const steps = f32(f32(product * multiplier) + output.zeroPoint + shift);
    return clamp(convertToInt32(steps) - shift, output.quantMin, output.quantMax);
  });
});

/** A function of a dequantized code, quantized. */
function table(equation: string, functionOf: (attributes: unknown, host: Host) => (x: number) => number): TensorSteps {
  return tensorSteps(equation, ({ inputs: [input], output, attributes, host }) => {
    const [real, code] = [dequantizeFloat32.prepare(quantized(input)), quantizeDivision.prepare(quantized(output))];
    const apply = functionOf(attributes, host);
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

/** MLAS's rational function on [-18, 18]. */
export const sigmoidOnnxRuntime = table('quantize(x * P(x * x) / Q(x * x) + 0.5)', (_, { cpu }) => {
  const step = cpu === 'sse' ? (sum: number, x: number, next: number) => f32(next + f32(sum * x)) : fma32;
  const polynomial = (x: number, [first, ...rest]: readonly number[]) =>
    rest.reduce((sum, next) => step(sum, x, f32(next)), f32(first));
  return (given) => {
    const x = clamp(given, -18, 18);
    const square = f32(x * x);
    const ratio = f32(f32(polynomial(square, NUMERATOR) * x) / polynomial(square, DENOMINATOR));
    const y = f32(ratio + 0.5);
    return cpu === 'sse' ? y : Math.max(0, y);
  };
});
