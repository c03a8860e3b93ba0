/** Functions of int16 codes: tables with linear interpolation, or 16-bit fixed point. */

import type { TensorCall, TensorSteps } from '../../../nouns/kernel.js';
import { int32s } from '../../../numeric/array.js';
import { f32 } from '../../../numeric/float.js';
import { hyperbolicTangent, logistic } from '../../../numeric/gemmlowp.js';
import { saturateInt16 } from '../../../numeric/integer.js';
import { floor, roundHalfAway, roundHalfEven, truncate } from '../../../numeric/round.js';
import { quantized } from '../call.js';
import { tensorSteps } from '../tensor.js';
import { scaleOf } from './common.js';

type RealFunction = (x: number) => number;

interface Samples {
  readonly scale: number;
  readonly zeroPoint: number;
  readonly outputScale: number;
  /** How each operation rounds: TFLite Micro computes in float32. */
  readonly to: (x: number) => number;
}

/** 513 entries, each corrected by half of the error in the middle of its step. */
export function sampled(apply: RealFunction, { scale, zeroPoint, outputScale, to }: Samples): Int32Array {
  const [first, last] = [to(scale * (-32768 - zeroPoint)), to(scale * (32767 - zeroPoint))];
  const inverse = to(65536 / to(to(outputScale * 32767) - to(outputScale * -32768)));
  const step = to(to(last - first) / 512);
  const at = (x: number) => to(apply(x));
  return Int32Array.from({ length: 513 }, (_, i) => {
    if (i === 512) return saturateInt16(roundHalfAway(to(at(last) * inverse)));
    const start = to(first + to(i * step));
    const [own, middle, next] = [at(start), at(to(start + to(step / 2))), at(to(first + to((i + 1) * step)))];
    const code = roundHalfAway(to(own * inverse));
    const halfway = roundHalfAway(to(to(to(next * inverse) + code) / 2));
    const error = to(halfway - roundHalfAway(to(middle * inverse)));
    return saturateInt16(code - roundHalfAway(to(error / 2)));
  });
}

/** 7 bits of interpolation, half up. */
export function lookedUp(table: Int32Array, code: number): number {
  const i = 256 + (code >> 7);
  return table[i] + (((table[i + 1] - table[i]) * (code & 127) + 64) >> 7);
}

/** Where TFLite's table is one above the nearest. */
const ONE_MORE = new Set([
  4, 8, 12, 14, 15, 16, 17, 19, 20, 21, 22, 25, 27, 28, 29, 30, 31, 33, 34, 35, 37, 39, 40, 41, 43, 44, 45, 46, 49, 50,
  54, 62, 63, 64, 66, 82, 86, 93, 100, 103, 112, 116, 135, 255,
]);
export const SIGMOID = Int32Array.from(
  { length: 256 },
  (_, i) => roundHalfEven(65536 / (1 + Math.exp(-i / 24))) + (ONE_MORE.has(i) ? 1 : 0),
);

/** log2(scale * 2^12) where it is 0, or one of those that a function has; null: another scale. */
export function powerOf(scale: number, powers: readonly number[]): number | null {
  const log = f32(f32(Math.log(scale)) * f32(1 / Math.log(2)));
  const left = 12 + roundHalfAway(log);
  return Math.abs(log - roundHalfAway(log)) < 1e-3 && powers.includes(left) ? left : null;
}

/** A multiplier and a shift to the right, half up, that take codes to units of 1 / (3 * 2^12). */
export function tableUnits(scale: number, power: number | null): { multiplier: number; shift: number } {
  if (power !== null) return { multiplier: 3 * 2 ** power, shift: 0 };
  let [real, shift] = [scale * 4096 * 3, 0];
  for (; real <= 32767 / 2 && shift <= 30; shift++) real *= 2;
  return { multiplier: truncate(real), shift };
}

function inTableUnits(scale: number, power: number | null): (q: number) => number {
  const { multiplier, shift } = tableUnits(scale, power);
  const half = shift === 0 ? 0 : 2 ** (shift - 1);
  return (q) => floor((q * multiplier + half) / 2 ** shift);
}

function logisticOf(v: number): number {
  const magnitude = Math.abs(v);
  const i = floor(magnitude / 512);
  const result = i >= 255 ? 0x7fff * 1024 : SIGMOID[i] * 512 + (magnitude % 512) * (SIGMOID[i + 1] - SIGMOID[i]);
  return v >= 0 ? floor((result + 512) / 1024) : floor((2 ** 25 - result + 511) / 1024);
}

function tanhOf(v: number): number {
  const magnitude = Math.abs(v);
  const i = floor(magnitude / 256);
  const result = i >= 255 ? 0xffff * 256 : SIGMOID[i] * 256 + (magnitude % 256) * (SIGMOID[i + 1] - SIGMOID[i]);
  return v >= 0 ? floor((result - 2 ** 23 + 128) / 256) : floor((2 ** 23 - result + 127) / 256);
}

export interface Function16 {
  readonly name: 'logistic' | 'tanh';
  readonly powers: readonly number[];
  readonly interpolated: (v: number) => number;
  readonly fixed: typeof logistic;
}

/** inPowers: how the builtin kernels compute where the scale is a power of two. */
function function16({ name, powers, interpolated, fixed }: Function16, isBuiltin: boolean): TensorSteps {
  const run = (call: TensorCall) => {
    const scale = scaleOf(quantized(call.inputs[0]));
    const power = powerOf(scale, powers);
    const units = inTableUnits(scale, power);
    const ofCode =
      isBuiltin && power !== null
        ? (q: number) => fixed(saturateInt16(q * 2 ** power), 3, 16)
        : (q: number) => interpolated(units(q));
    return int32s(call.inputs[0].data, ofCode);
  };
  const otherwise = isBuiltin ? '; scales of a power of two in 16-bit fixed point' : '';
  return {
    ...tensorSteps(`${name} from a table of 256 with interpolation${otherwise}`, run),
    codes: ['int16'],
    departure: 'table-entry',
  };
}

export const LOGISTIC: Function16 = { name: 'logistic', powers: [0], interpolated: logisticOf, fixed: logistic };
export const TANH: Function16 = { name: 'tanh', powers: [0, 1], interpolated: tanhOf, fixed: hyperbolicTangent };

export const logisticInt16 = function16(LOGISTIC, false);
export const logisticInt16Builtin = function16(LOGISTIC, true);
export const tanhInt16 = function16(TANH, false);
export const tanhInt16Builtin = function16(TANH, true);
