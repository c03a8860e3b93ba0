/**
 * ONNX Runtime's sums, products and tables on codes. sa, sb, sx, sy: scales; a, b: codes; d: centred ones. Source: MLAS, and 131.7
 * million values of 1.32.0.
 */

import type { SlopeAttributes } from '../../nouns/attributes.js';
import type { Host } from '../../nouns/host.js';
import type { CodeArray, Computed, JoinedPair, TensorCall, TensorSteps } from '../../nouns/kernel.js';
import type { QuantParams } from '../../nouns/value.js';
import { int32s } from '../../numeric/array.js';
import { f32, fma32 } from '../../numeric/float.js';
import { clamp, convertToInt32, saturateInt16 } from '../../numeric/integer.js';
import { mlasLogistic } from '../../numeric/mlas.js';
import { floor, roundHalfEven } from '../../numeric/round.js';
import { boundedCodes } from './bounded.js';
import { filledPairs, filledSingles, fillPairs, INT32_REACH, isOfBytes, quantized, reachOf } from './call.js';
import { dequantizeFloat32 } from './dequantize.js';
import { quantizeDivision } from './quantize.js';
import { tensorSteps } from './tensor.js';

/**
 * Codes of what adds the zero point before it rounds: ties depend on whether int8 runs as uint8, all + 128. Where the model does not
 * say, both codes are possible.
 */
export function asRun({ output, ranAs }: TensorCall, codesOf: (shift: number) => CodeArray): Computed {
  if (quantized(output).dtype !== 'int8') return codesOf(0);
  if (ranAs) return codesOf(ranAs.codes === 'uint8' ? 128 : 0);
  const [own, other] = [codesOf(0), codesOf(128)];
  return boundedCodes(own.length, (i) => {
    const [near, also] = [own[i], other[i]];
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
  /** Scales by that of the output. */
  readonly ra: number;
  readonly rb: number;
  /** The second is one value over the innermost span. */
  readonly isScalar: boolean;
  /** They have changed places. */
  readonly isTurned: boolean;
}

function addendsOf(call: TensorCall): Addends {
  const side = scalarSide(call);
  const [first, second] = side === 'first' ? [1, 0] : [0, 1];
  const [a, b] = [call.inputs[first], call.inputs[second]].map(quantized);
  const output = quantized(call.output);
  const [ra, rb] = [a, b].map(({ scale }) => f32(f32(scale) / f32(output.scale)));
  return { a, b, output, ra, rb, isScalar: side !== null, isTurned: side === 'first' };
}

/** On ARM in fixed point, elsewhere in float32 with the zero point in it. cpu: where it is not the call's. */
export function addOnnxRuntime(cpu?: Host['cpu']): TensorSteps {
  return tensorSteps(
    'rint(fma(a, sa / sy, fma(b, sb / sy, zp - t))), t = fma(sa / sy, za, sb / sy * zb); ARM: fixed point of 22 bits',
    (call) => ((cpu ?? call.host.cpu) === 'neon' ? addOnArm(call) : addOnX86(call, (cpu ?? call.host.cpu) === 'fma')),
  );
}

function addOnX86(call: TensorCall, fused: boolean): Computed {
  const { a, b, output, ra, rb, isScalar, isTurned } = addendsOf(call);
  const add: (x: number, y: number, sum: number) => number = fused ? fma32 : (x, y, sum) => f32(sum + f32(x * y));
  return asRun(call, (shift) => {
    const t = add(ra, a.zeroPoint + shift, f32(rb * (b.zeroPoint + shift)));
    const fixed = f32(output.zeroPoint + shift - t);
    // without FMA the first product comes first, but where the second is one value
    const bFirst = fused || isScalar;
    return fillPairs(call, (one, other) => {
      const [x, y] = isTurned ? [other + shift, one + shift] : [one + shift, other + shift];
      const steps = bFirst ? add(x, ra, add(y, rb, fixed)) : add(y, rb, add(x, ra, fixed));
      return clamp(convertToInt32(steps) - shift, output.quantMin, output.quantMax);
    });
  });
}

const [SMALLEST_RATIO, LARGEST_RATIO] = [2 ** -14, 2 ** 8];

/** Multipliers of 22 bits and one shift, halves away from zero; floats where the scales are too far apart. */
function pairOnArm(call: TensorCall): JoinedPair {
  const [a, b, output] = [...call.inputs, call.output].map(quantized);
  const [ra, rb] = [a, b].map(({ scale }) => f32(f32(scale) / f32(output.scale)));
  const shift = shiftOf(ra, rb);
  if (shift === null) return floatsOnArm(call);
  const unit = 2 ** shift;
  const [ma, mb] = [ra, rb].map((ratio) => roundHalfEven(f32(ratio * unit)));
  return {
    of: 'int32',
    join: 'sum',
    left: (one) => (one - a.zeroPoint) * ma,
    right: (other) => (other - b.zeroPoint) * mb,
    code(sum) {
      const rounded = floor((sum + (sum < 0 ? -1 : 0) + unit / 2) / unit);
      const code = saturateInt16(saturateInt16(rounded) + output.zeroPoint);
      return clamp(code, output.quantMin, output.quantMax);
    },
    reach: INT32_REACH,
  };
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

function floatsOnArm(call: TensorCall): JoinedPair {
  const output = quantized(call.output);
  const { quantMin, quantMax, zeroPoint } = output;
  const [left, right] = call.inputs.map(quantized).map((params) => dequantizeFloat32.prepare(params));
  return {
    of: 'float32',
    join: 'sum',
    left,
    right,
    code(sum) {
      const steps = f32(sum / f32(output.scale));
      return roundHalfEven(f32(clamp(steps, quantMin - zeroPoint, quantMax - zeroPoint) + zeroPoint));
    },
    reach: reachOf(output),
  };
}

const addOnArm = filledPairs(pairOnArm);

const productOf =
  (shift: number) =>
  (call: TensorCall): JoinedPair => {
    const [a, b, output] = [...call.inputs, call.output].map(quantized);
    const multiplier = f32(f32(f32(a.scale) * f32(b.scale)) / f32(output.scale));
    return {
      of: 'int32',
      join: 'product',
      left: (one) => one - a.zeroPoint,
      right: (other) => other - b.zeroPoint,
      code(product) {
        const steps = f32(f32(product * multiplier) + output.zeroPoint + shift);
        return clamp(convertToInt32(steps) - shift, output.quantMin, output.quantMax);
      },
      reach: Math.min(INT32_REACH, 2 ** 30 / multiplier), // beyond, the conversion overflows
    };
  };

const [products, productsAsUint8] = [0, 128].map((shift) => filledPairs(productOf(shift)));

export const multiplyOnnxRuntime: TensorSteps = tensorSteps('rint(da * db * (sa * sb / sy) + zp)', (call) =>
  asRun(call, (shift) => (shift === 0 ? products : productsAsUint8)(call)),
);

/** A function of a dequantized code, quantized. */
function table(equation: string, functionOf: (attributes: unknown, host: Host) => (x: number) => number): TensorSteps {
  const codeOf = (call: TensorCall) => {
    const [input, output] = [call.inputs[0], call.output].map(quantized);
    const [real, code] = [dequantizeFloat32.prepare(input), quantizeDivision.prepare(output)];
    const apply = functionOf(call.attributes, call.host);
    return (x: number) => code(apply(real(x)));
  };
  const ofBytes = filledSingles(codeOf);
  return tensorSteps(equation, (call) => {
    const [input] = call.inputs;
    return isOfBytes(quantized(input)) ? ofBytes(call) : int32s(input.data, codeOf(call));
  });
}

export const leakyReluOnnxRuntime = table('quantize(x >= 0 ? x : alpha * x)', (attributes) => {
  const alpha = f32((attributes as SlopeAttributes).negativeSlope);
  return (x) => (x >= 0 ? x : f32(alpha * x));
});

/** MLAS's rational function on [-18, 18]. */
export const sigmoidOnnxRuntime = table(
  'quantize(x * P(x * x) / Q(x * x) + 0.5)',
  (_, { cpu }) =>
    (x) =>
      mlasLogistic(x, cpu !== 'sse'),
);
