/** SOFTMAX: of files along the last axis; along another as where it is transposed first. */

import type { AxisAttributes, BetaAttributes } from '../../../nouns/attributes.js';
import type { TensorCall, TensorSteps } from '../../../nouns/kernel.js';
import { CODE_RANGES, type QuantParams } from '../../../nouns/value.js';
import {
  multiplyByFixedPointDoubleRounding,
  multiplyHighQ31,
  quantizeMultiplier,
  roundingDivideByPot,
} from '../../../numeric/fixedPoint.js';
import { f32 } from '../../../numeric/float.js';
import { expOnNegative, oneOverOnePlus } from '../../../numeric/gemmlowp.js';
import { clamp, saturateInt16, wrapInt32 } from '../../../numeric/integer.js';
import { floor, roundHalfAway, truncate } from '../../../numeric/round.js';
import { once } from '../../../once.js';
import { linesAlong } from '../../../tensor/axes.js';
import { ofLayer, quantized, rememberedIn } from '../call.js';
import { tensorSteps } from '../tensor.js';
import { BYTES, scaleOf } from './common.js';
import { lookedUp, sampled } from './tables16.js';

/** codesOf: of a row's distances to its largest code, each <= 0. */
function rows(call: TensorCall, codesOf: (distances: Int32Array) => ArrayLike<number>): Int32Array {
  const [{ data, shape }] = call.inputs;
  const { count, step } = linesAlong((call.attributes as AxisAttributes).dim, shape);
  const out = new Int32Array(data.length);
  for (let block = 0; block < data.length; block += count * step)
    for (let start = block; start < block + step; start++) {
      const row = Int32Array.from({ length: count }, (_, k) => data[start + k * step]);
      const largest = row.reduce((most, code) => Math.max(most, code), Number.NEGATIVE_INFINITY);
      const codes = codesOf(row.map((code) => code - largest));
      for (let k = 0; k < count; k++) out[start + k * step] = codes[k];
    }
  return out;
}

export const betaOf = ({ attributes }: TensorCall) => f32((attributes as BetaAttributes).beta);

/** Bits of codes that stand for 0 to 1. */
export const BITS: Partial<Record<QuantParams['dtype'], number>> = { int8: 8, uint8: 8, int16: 16 };

/** All integer: reference resolver and TFLite Micro, codes of 8 bits in; the output's parameters are taken for granted. */
const softmaxFixedPoint: TensorSteps = {
  ...tensorSteps('exp(d * beta * sx) / sum in int32 fixed point', (call) => {
    const real = Math.min(betaOf(call) * scaleOf(quantized(call.inputs[0])) * 2 ** 26, 2 ** 31 - 1);
    const { multiplier, exponent } = quantizeMultiplier(real);
    const least = -floor((31 * 2 ** 26) / 2 ** exponent);
    const { dtype, quantMin: lo, quantMax: hi } = quantized(call.output);
    const [zero] = CODE_RANGES[dtype]; // whatever a value is clamped to
    const exponential = (d: number) => expOnNegative(multiplyHighQ31(wrapInt32(d * 2 ** exponent), multiplier), 5, 32);
    // two codes of 8 bits lie up to 255 apart
    const input = quantized(call.inputs[0]);
    const farthest = input.dtype === 'uint8' ? 255 : 127;
    const powerOf = rememberedIn(call, input, (code) => exponential(code - farthest));
    return rows(call, (distances) => {
      const powers = distances.map((d) => (d >= least ? powerOf(d + farthest) : 0));
      const sum = powers.reduce((total, power) => wrapInt32(total + roundingDivideByPot(power, 12)), 0);
      const zeros = Math.clz32(sum);
      const inverse = oneOverOnePlus(wrapInt32(sum * 2 ** zeros - 2 ** 31), 32);
      const shift = 12 - zeros + 31 - BITS[dtype]!;
      return powers.map((power, i) =>
        clamp(distances[i] < least ? zero : roundingDivideByPot(multiplyHighQ31(inverse, power), shift) + zero, lo, hi),
      );
    });
  }),
  codes: BYTES,
};

const powersOf = ofLayer((call) => {
  const step = f32(-scaleOf(quantized(call.inputs[0])) * betaOf(call));
  return Float32Array.from({ length: 256 }, (_, k) => Math.exp(f32(step * k)));
});

/** A table of float32 powers, summed from left to right. */
const softmaxFloatTable: TensorSteps = {
  ...tensorSteps('round(f32(exp(-beta * sx * k)) * f32(1 / f32(sum * sy))) + zp', (call) => {
    const powers = powersOf(call);
    const { dtype, scale, zeroPoint, quantMin, quantMax } = quantized(call.output);
    return rows(call, (distances) => {
      const sum = distances.reduce((total, d) => f32(total + powers[-d]), 0);
      const inverse = f32(1 / f32(sum * f32(scale)));
      return distances.map((d) => {
        const steps = f32(powers[-d] * inverse);
        const code = dtype === 'uint8' ? truncate(f32(steps + 0.5)) : roundHalfAway(steps) + zeroPoint;
        return clamp(code, quantMin, quantMax);
      });
    });
  }),
  codes: BYTES,
};

/** Made where it is first needed: two tables of 513 are 2 ms of a start that has no int16 softmax. */
/** Of 513 entries: exp, and 1 / (1 + x). */
export interface SoftmaxTables {
  readonly exponentials: Int32Array;
  readonly inverses: Int32Array;
}

function tablesOf(to: (x: number) => number): SoftmaxTables {
  const unit = to(1 / 65535);
  const outputScale = to(2 / 65535);
  return {
    exponentials: sampled(Math.exp, { scale: to(10 / 65535), zeroPoint: 32767, outputScale, to }),
    inverses: sampled((x) => to(1 / to(1 + x)), { scale: unit, zeroPoint: -32768, outputScale, to }),
  };
}

const [doubleTables, singleTables] = [once(() => tablesOf((x) => x)), once(() => tablesOf(f32))];

export function softmaxTables(isMicro: boolean): SoftmaxTables {
  return isMicro ? singleTables() : doubleTables();
}

/** Takes distances to units of the table's step. */
export function softmaxMultiplier(call: TensorCall, isMicro: boolean) {
  const product = scaleOf(quantized(call.inputs[0])) * betaOf(call);
  return quantizeMultiplier((isMicro ? product : f32(product)) / (10 / 65535));
}

/** Tables of exp and 1 / (1 + x), the same code in every resolver; TFLite Micro makes them in float32. */
function softmaxInt16(isMicro: boolean): TensorSteps {
  const run = (call: TensorCall) => {
    const { exponentials, inverses } = softmaxTables(isMicro);
    const multiplier = softmaxMultiplier(call, isMicro);
    return rows(call, (distances) => {
      const powers = distances.map((d) =>
        lookedUp(exponentials, saturateInt16(multiplyByFixedPointDoubleRounding(d, multiplier) + 32767)),
      );
      const sum = powers.reduce((total, power) => total + power, 0);
      const headroom = Math.clz32(sum);
      const scaled = floor((sum * 2 ** (headroom - 1) + 2 ** 13) / 2 ** 14);
      const inverse = lookedUp(inverses, saturateInt16(scaled - 2 ** 15 - 2 ** 16));
      const shift = 31 - headroom;
      return powers.map((power) => clamp(floor((power * inverse + 2 ** (shift - 1)) / 2 ** shift), 0, 32767));
    });
  };
  const where = isMicro ? ', made in float32' : '';
  return { ...tensorSteps(`exp(d * beta * sx) / sum from tables of 513${where}`, run), codes: ['int16'] };
}

const [int16, int16Micro] = [softmaxInt16(false), softmaxInt16(true)];

/** By the types of codes: bytes, or int16 to int16. */
function byTypes(bytes: TensorSteps, wide: TensorSteps): TensorSteps {
  return {
    ...tensorSteps(bytes.equation, (call) => {
      const dtypes = [call.inputs[0], call.output].map(({ params }) => params.dtype);
      return (dtypes[0] === 'int16' ? wide : bytes).run(call);
    }),
    codes: [...BYTES, 'int16'],
    departure: 'table-entry',
  };
}

export const softmaxReference = byTypes(softmaxFixedPoint, int16);
export const softmaxMicro = byTypes(softmaxFixedPoint, int16Micro);
/** Equal types of 8 bits by the float table; from 8 to 16 bits as the reference. */
export const softmaxBuiltin: TensorSteps = {
  ...tensorSteps(softmaxFloatTable.equation, (call) => {
    const [input, output] = [call.inputs[0], call.output].map(quantized);
    return (input.dtype === output.dtype && input.dtype !== 'int16' ? softmaxFloatTable : softmaxReference).run(call);
  }),
  codes: [...BYTES, 'int16'],
  departure: 'table-entry',
};
