/** RSQRT and L2_NORMALIZATION of int8, by gemmlowp's inverse square root. */

import type { TensorSteps } from '../../../nouns/kernel.js';
import { int32s } from '../../../numeric/array.js';
import { multiplyByFixedPointDoubleRounding, quantizeMultiplier } from '../../../numeric/fixedPoint.js';
import { f32 } from '../../../numeric/float.js';
import { inverseSquareRoot } from '../../../numeric/gemmlowp.js';
import { clamp } from '../../../numeric/integer.js';
import { truncate } from '../../../numeric/round.js';
import { quantized, remembered } from '../call.js';
import { tensorSteps } from '../tensor.js';
import { byWidth, codeOf, scaleOf } from './common.js';
import { ofFloats } from './functions.js';

/** Bits of a root that is a whole number between the two multiplications. */
const SHIFT = 20;

/** 0 is the largest code. scale: of a root of whole numbers. */
const byRoot = (formula: string, scale: (sx: number, sy: number) => number): TensorSteps =>
  tensorSteps(
    `clamp(roundHalfAway(roundHalfAway(2^20 / sqrt(d)) * m / 2^(20 - e)) + zp), m of 1 / ${formula}`,
    (call) => {
      const [x, y] = [call.inputs[0], call.output].map(quantized);
      const { multiplier, exponent } = quantizeMultiplier(1 / scale(scaleOf(x), scaleOf(y)));
      const code = codeOf(y, [y.quantMin, y.quantMax]);
      const ofCode = remembered(x, (q) => {
        const d = q - x.zeroPoint;
        if (d <= 0) return y.quantMax;
        const root = inverseSquareRoot(d);
        const whole = multiplyByFixedPointDoubleRounding(1, { ...root, exponent: root.exponent + SHIFT });
        return code(multiplyByFixedPointDoubleRounding(whole, { multiplier, exponent: exponent - SHIFT }));
      });
      return int32s(call.inputs[0].data, ofCode);
    },
  );

const rsqrtBytes: TensorSteps = {
  ...byRoot('f32(f32(sqrt(sx)) * sy)', (sx, sy) => f32(f32(Math.sqrt(sx)) * sy)),
  codes: ['int8'],
};

/** 16 bits as 8. */
export const rsqrtMicro: TensorSteps = {
  ...byRoot('sqrt(sx) * sy in double', (sx, sy) => Math.sqrt(sx) * sy),
  codes: ['int8', 'int16'],
};

/** int16: a table, what has no root being the largest code. */
const rsqrtInt16: TensorSteps = {
  ...tensorSteps('1 / sqrt(x) from 513 entries in float32', (call) => {
    const most = f32(32767 * scaleOf(quantized(call.output)));
    return ofFloats('rsqrt', (x) => (x <= 0 ? most : f32(1 / f32(Math.sqrt(x))))).run(call);
  }),
  codes: ['int16'],
};

export const rsqrtTflite = byWidth(rsqrtBytes, rsqrtInt16);

/** Cut, not rounded. */
export const sqrtTflite: TensorSteps = {
  ...tensorSteps('clamp(trunc(f32(f32(sqrt(f32(sx * d))) / sy)) + zp)', (call) => {
    const [x, y] = [call.inputs[0], call.output].map(quantized);
    const code = codeOf(y, [y.quantMin, y.quantMax]);
    const root = (d: number) => f32(Math.sqrt(f32(scaleOf(x) * d)));
    return int32s(call.inputs[0].data, (q) => code(truncate(f32(root(q - x.zeroPoint) / scaleOf(y)))));
  }),
  codes: ['int8', 'int16'],
};

/** Along the last axis; the output's parameters (1/128, 0) are taken for granted. */
export const l2NormalizeTflite: TensorSteps = {
  ...tensorSteps('clamp(roundHalfAway(128 * d / sqrt(sum of d^2))), the root in 31 bits', ({ inputs: [input] }) => {
    const { zeroPoint } = quantized(input);
    const { data, shape } = input;
    const length = shape.dims.at(-1) ?? 1;
    const out = new Int32Array(data.length);
    for (let start = 0; start < data.length; start += length) {
      let sum = 0;
      for (let i = start; i < start + length; i++) sum += (data[i] - zeroPoint) ** 2;
      const root = inverseSquareRoot(sum);
      const scaled = { ...root, exponent: root.exponent + 7 };
      for (let i = start; i < start + length; i++)
        out[i] = clamp(multiplyByFixedPointDoubleRounding(data[i] - zeroPoint, scaled), -128, 127);
    }
    return out;
  }),
  codes: ['int8'],
};
