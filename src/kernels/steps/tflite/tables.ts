/** LOGISTIC and TANH of 8 bits: tables of 256, or TFLite Micro's fixed point. */

import type { TensorSteps } from '../../../nouns/kernel.js';
import type { QuantParams } from '../../../nouns/value.js';
import { quantizeMultiplier, roundingDivideByPot } from '../../../numeric/fixedPoint.js';
import { f32 } from '../../../numeric/float.js';
import { hyperbolicTangent, logistic } from '../../../numeric/gemmlowp.js';
import { clamp } from '../../../numeric/integer.js';
import { floor, roundHalfAway, roundHalfEven } from '../../../numeric/round.js';
import { filledSingles, quantized } from '../call.js';
import { tensorSteps } from '../tensor.js';
import { BYTES, byMultiplier, scaleOf } from './common.js';

type RealFunction = (x: number) => number;

/** A table of every code of the input. */
function table(
  equation: string,
  entryOf: (input: QuantParams, output: QuantParams) => (q: number) => number,
): TensorSteps {
  const run = filledSingles((call) => {
    const [input, output] = [call.inputs[0], call.output].map(quantized);
    const entry = entryOf(input, output);
    return (q) => clamp(entry(q), output.quantMin, output.quantMax);
  });
  return { ...tensorSteps(equation, run), codes: BYTES, departure: 'table-entry' };
}

/** Reference and builtin kernels. */
export function tableTflite(name: string, apply: RealFunction): TensorSteps {
  return table(`roundHalfAway(f32(${name}(f32(sx * d)) * f32(1 / sy))) + zp`, (input, output) => {
    const [scale, inverse] = [scaleOf(input), f32(1 / scaleOf(output))];
    return (q) => roundHalfAway(f32(apply(f32(scale * (q - input.zeroPoint))) * inverse)) + output.zeroPoint;
  });
}

function tableXnnpack(name: string, apply: RealFunction): TensorSteps {
  return table(`rint(f32(f32(${name}(f32(d * sx)) * f32(1 / sy)) + zp))`, (input, output) => {
    const [scale, inverse] = [scaleOf(input), f32(1 / scaleOf(output))];
    return (q) => roundHalfEven(f32(f32(apply(f32((q - input.zeroPoint) * scale)) * inverse) + output.zeroPoint));
  });
}

const tanh32: RealFunction = (x) => f32(Math.tanh(x));
export const elu32: RealFunction = (x) => (x < 0 ? f32(Math.expm1(x)) : x);

export const logisticTflite = tableTflite('1 / (1 + exp)', (x) => f32(1 / f32(1 + f32(Math.exp(-x)))));
export const tanhTflite = tableTflite('tanh', tanh32);
export const logisticXnnpack = tableXnnpack('logistic', (x) => f32(Math.exp(x) / (1 + Math.exp(x))));
export const tanhXnnpack = tableXnnpack('tanh', tanh32);
export const eluXnnpack = { ...tableXnnpack('elu', elu32), codes: ['int8'] as const };

/** No table, 4 integer bits; the output's parameters are taken for granted. shift: to 8 bits. */
function inFixedPoint(name: string, apply: typeof logistic, shift: number, zeroPoint: number): TensorSteps {
  const run = filledSingles((call) => {
    const input = quantized(call.inputs[0]);
    const real = scaleOf(input) * 2 ** 27;
    const radius = floor((15 * 2 ** 27) / 2 ** quantizeMultiplier(real).exponent);
    const scaled = byMultiplier(real);
    return (q) => {
      const d = q - input.zeroPoint;
      if (Math.abs(d) >= radius) return d < 0 ? -128 : 127;
      return clamp(roundingDivideByPot(apply(scaled(d), 4, 32), shift) + zeroPoint, -128, 127);
    };
  });
  return {
    ...tensorSteps(`${name} in int32 fixed point, to ${name === 'tanh' ? '1/128, 0' : '1/256, -128'}`, run),
    codes: ['int8'],
    departure: 'table-entry',
  };
}

export const logisticMicro = inFixedPoint('logistic', logistic, 23, -128);
export const tanhMicro = inFixedPoint('tanh', hyperbolicTangent, 24, 0);
