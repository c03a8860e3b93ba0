/** LEAKY_RELU and HARD_SWISH, code by code. */

import type { SlopeAttributes } from '../../../nouns/attributes.js';
import type { TensorCall, TensorSteps } from '../../../nouns/kernel.js';
import type { QuantParams } from '../../../nouns/value.js';
import { int32s } from '../../../numeric/array.js';
import {
  multiplyByFixedPointDoubleRounding,
  quantizeMultiplier,
  roundingDivideByPot,
} from '../../../numeric/fixedPoint.js';
import { f32 } from '../../../numeric/float.js';
import { multiplyHigh } from '../../../numeric/gemmlowp.js';
import { saturateInt16, wrapInt16 } from '../../../numeric/integer.js';
import { floor, roundHalfEven, truncate } from '../../../numeric/round.js';
import { quantized } from '../call.js';
import { tensorSteps } from '../tensor.js';
import { BYTES, BYTES_AND_INT16, byMultiplier, codeOf, scaleOf } from './common.js';
import { doubles, float32Quotient } from './multiply.js';

/** steps: of a centred code, in units of the output. */
function ofEachCode(call: TensorCall, steps: (d: number) => number): Int32Array {
  const [input, output] = [call.inputs[0], call.output].map(quantized);
  const code = codeOf(output, [output.quantMin, output.quantMax]);
  return int32s(call.inputs[0].data, (q) => code(steps(q - input.zeroPoint)));
}

const slopeOf = ({ attributes }: TensorCall) => f32((attributes as SlopeAttributes).negativeSlope);

/** Where the sign of a negative slope is: the result is negated, or the multiplier is negative, and halves go the other way. */
type Sign = 'outside' | 'inside';

const LEAKY = 'clamp(roundHalfAway(((d * m + 2^30) >> 31) / 2^-e) + zp), m * 2^(e-31) = (d < 0 ? alpha : 1) * sx / sy';

function leakyRelu(
  signOf: (output: QuantParams) => Sign,
  realsOf: (x: number, slope: number, y: number) => readonly [identity: number, slope: number],
): TensorSteps {
  const run = (call: TensorCall) => {
    const [input, output] = [call.inputs[0], call.output].map(quantized);
    const slope = slopeOf(call);
    const [same, sloped] = realsOf(scaleOf(input), slope, scaleOf(output));
    const [identity, magnitude] = [byMultiplier(same), quantizeMultiplier(Math.abs(sloped))];
    const isInside = slope < 0 && signOf(output) === 'inside';
    const multiplier = isInside ? { ...magnitude, multiplier: -magnitude.multiplier } : magnitude;
    const sign = slope < 0 && !isInside ? -1 : 1;
    return ofEachCode(call, (d) => (d >= 0 ? identity(d) : sign * multiplyByFixedPointDoubleRounding(d, multiplier)));
  };
  return { ...tensorSteps(LEAKY, run), codes: BYTES_AND_INT16 };
}

const inTflite = (x: number, slope: number, y: number) => [f32(x / y), float32Quotient(x, slope, y)] as const;

export const leakyReluReference = leakyRelu(() => 'outside', inTflite);
/** LiteRT up to 1.4, TensorFlow 2.21, TFLite 2.14. */
export const leakyReluNegativeMultiplier = leakyRelu(() => 'inside', inTflite);
export const leakyReluBuiltin = leakyRelu(({ dtype }) => (dtype === 'int16' ? 'inside' : 'outside'), inTflite);
export const leakyReluMicro = leakyRelu(
  () => 'outside',
  (x, slope, y) => [x / y, doubles(x, slope, y)],
);

/** Multipliers of 8 fractional bits, halves up. */
export const leakyReluXnnpack: TensorSteps = {
  ...tensorSteps(
    'clamp(floor((d * rint(256 * g) + 128) / 256) + zp), g = (d < 0 ? alpha : 1) * f32(sx / sy)',
    (call) => {
      const [input, output] = [call.inputs[0], call.output].map(quantized);
      const ratio = f32(scaleOf(input) / scaleOf(output));
      const [positive, negative] = [ratio, f32(ratio * slopeOf(call))].map((real) => roundHalfEven(f32(256 * real)));
      return ofEachCode(call, (d) => floor((d * (d >= 0 ? positive : negative) + 128) / 256));
    },
  ),
  codes: BYTES,
};

/** A multiplier of 16 bits. */
function shortMultiplier(real: number): { multiplier: number; exponent: number } {
  const { multiplier, exponent } = quantizeMultiplier(real);
  const short = multiplier >= 2 ** 31 - 1 - 2 ** 15 ? 32767 : floor((multiplier + 2 ** 15) / 2 ** 16);
  return { multiplier: short, exponent };
}

/** x * min(max(x + 3, 0), 6) / 6 in int16. */
function hardSwishSteps(input: QuantParams, output: QuantParams): (d: number) => number {
  const fine = f32(f32(1 / 128) * scaleOf(input));
  const result = shortMultiplier(f32(fine / scaleOf(output)));
  const gate = shortMultiplier(f32(fine / f32(3 / 32768)));
  return (d) => {
    const x = wrapInt16(d * 128);
    const scaled = multiplyHigh(x, result.multiplier, 16);
    let open = gate.exponent > 0 ? saturateInt16(x * 2 ** (gate.exponent - 1)) : x;
    open = multiplyHigh(open, gate.multiplier, 16);
    if (gate.exponent > 0) open = saturateInt16(open * 2);
    if (gate.exponent < 0) open = roundingDivideByPot(open, -gate.exponent);
    open = floor((open + 32768) / 2);
    return roundingDivideByPot(truncate((open * scaled) / 2 ** 15), Math.max(0, -result.exponent));
  };
}

export const hardSwishTflite: TensorSteps = {
  ...tensorSteps('clamp(roundHalfAway(trunc(x * gate / 2^15) / 2^-e) + zp), int16 fixed point', (call) =>
    ofEachCode(call, hardSwishSteps(quantized(call.inputs[0]), quantized(call.output))),
  ),
  codes: BYTES,
};
