/** Functions of one code: ABS by a multiplier, the others by tables. */

import type { GeluAttributes } from '../../../nouns/attributes.js';
import type { TensorCall, TensorSteps } from '../../../nouns/kernel.js';
import { CODE_RANGES } from '../../../nouns/value.js';
import { int32s } from '../../../numeric/array.js';
import { erf } from '../../../numeric/erf.js';
import { f32 } from '../../../numeric/float.js';
import { clamp } from '../../../numeric/integer.js';
import { ofLayer, quantized } from '../call.js';
import { tensorSteps } from '../tensor.js';
import { BYTES_AND_INT16, byMultiplier, codeOf, scaleOf } from './common.js';
import { elu32, tableTflite } from './tables.js';
import { lookedUp, sampled } from './tables16.js';

type RealFunction = (x: number) => number;

/** A multiplier where the scales differ. */
function abs(ratio: string, round: (ratio: number) => number): TensorSteps {
  const run = (call: TensorCall) => {
    const [x, y] = [call.inputs[0], call.output].map(quantized);
    const [from, to] = [scaleOf(x), scaleOf(y)];
    const steps = from === to ? (d: number) => d : byMultiplier(round(from / to));
    const code = codeOf(y, [y.quantMin, y.quantMax]);
    return int32s(call.inputs[0].data, (q) => code(steps(Math.abs(q - x.zeroPoint))));
  };
  return { ...tensorSteps(`clamp(|d| * m / 2^e + zp), m of ${ratio}`, run), codes: BYTES_AND_INT16 };
}

export const absTflite = abs('f32(sx / sy)', f32);
/** 58 of 105,000 codes of 16 bits are others. */
export const absMicro = abs('sx / sy in double', (ratio) => ratio);

/** int16: 513 entries in float32, interpolated. */
export function ofFloats(name: string, apply: RealFunction): TensorSteps {
  const bytes = tableTflite(name, apply);
  const tableOf = ofLayer((call) => {
    const [x, y] = [call.inputs[0], call.output].map(quantized);
    return sampled(apply, { scale: scaleOf(x), zeroPoint: x.zeroPoint, outputScale: scaleOf(y), to: f32 });
  });
  const wide = (call: TensorCall) => {
    const table = tableOf(call);
    return int32s(call.inputs[0].data, (q) => clamp(lookedUp(table, q), -32768, 32767));
  };
  const run = (call: TensorCall) => (quantized(call.inputs[0]).dtype === 'int16' ? wide(call) : bytes.run(call));
  return { ...bytes, run, codes: ['int8', 'int16'] };
}

const logOfLayer = ofLayer(({ output }) => {
  const { dtype, scale, zeroPoint } = quantized(output);
  const least = f32((CODE_RANGES[dtype][0] - zeroPoint) * f32(scale)); // of what has no logarithm
  return ofFloats('log', (x) => (x <= 0 ? least : f32(Math.log(x))));
});

export const logTflite: TensorSteps = {
  ...tensorSteps('log', (call) => logOfLayer(call).run(call)),
  codes: ['int8', 'int16'],
};

export const expTflite = ofFloats('exp', (x) => f32(Math.exp(x)));
export const eluTflite: TensorSteps = {
  ...tableTflite('elu', elu32),
  codes: ['int8'],
};

const TANH_FACTOR = f32((2 / Math.sqrt(Math.PI)) * Math.SQRT1_2);

function geluByTanh(x: number): number {
  const cubed = f32(f32(f32(f32(0.044715) * x) * x) * x);
  return f32(f32(0.5 * x) * f32(1 + f32(Math.tanh(f32(TANH_FACTOR * f32(x + cubed))))));
}

const NEGATIVE_HALF_ROOT = f32(-Math.SQRT1_2);

/** x / 2 * erfc(-x / sqrt(2)); where erfc is small its table's entry is near 0 anyway. */
function geluByErf(x: number): number {
  return f32(f32(0.5 * x) * f32(1 - erf(f32(x * NEGATIVE_HALF_ROOT))));
}

const [byTanh, byErf] = [ofFloats('gelu', geluByTanh), ofFloats('gelu', geluByErf)];

export const geluTflite: TensorSteps = {
  ...byTanh,
  run: (call) => ((call.attributes as GeluAttributes).approximate === 'tanh' ? byTanh : byErf).run(call),
};
