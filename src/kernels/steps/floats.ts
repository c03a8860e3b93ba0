/** What a runtime leaves in float between dequantize and quantize: one float32 rounding an operator. */

import type { PreluAttributes } from '../../nouns/attributes.js';
import type { Computed, TensorCall, TensorSteps, TensorValue } from '../../nouns/kernel.js';
import { isQuantized } from '../../nouns/value.js';
import { float32s, int32s } from '../../numeric/array.js';
import { f32 } from '../../numeric/float.js';
import { floor } from '../../numeric/round.js';
import { sizeOf } from '../../tensor/shape.js';
import { clampOfCodes, clampOfReals, limitedTo } from './activation.js';
import { boundedCodes, codesOf } from './bounded.js';
import { fill, fillReals, quantized, reader } from './call.js';
import { dequantizeFloat32 } from './dequantize.js';
import { quantizeDivision } from './quantize.js';
import { tensorSteps } from './tensor.js';

/** A value may be codes, or floats already. */
function realOf({ params }: Pick<TensorValue, 'params'>): (x: number) => number {
  return isQuantized(params) ? dequantizeFloat32.prepare(params) : (x) => x;
}

/** What chooses among codes, and gives them as reals, or as codes of other parameters. */
export function throughReals(steps: TensorSteps): TensorSteps {
  return {
    ...steps,
    equation: `quantize(dequantize(${steps.equation}))`,
    run(call) {
      const [{ params }] = call.inputs;
      const chosen = steps.run({ ...call, activation: 'none', output: { ...call.output, params } }) as Int32Array;
      const real = dequantizeFloat32.prepare(quantized(call.inputs[0]));
      return written(call, (i) => real(chosen[i]));
    },
  };
}

/** Codes of the reals, with a fused activation; or the reals themselves. */
function written(call: TensorCall, real: (element: number) => number): Computed {
  const { activation, output } = call;
  const { params } = output;
  if (isQuantized(params)) {
    const code = quantizeDivision.prepare(params);
    const clamp = clampOfCodes(activation, params, quantizeDivision);
    return fill(call, (i) => limitedTo(clamp, code(real(i))));
  }
  const clamp = clampOfReals(activation);
  return fillReals(call, (i) => limitedTo(clamp, real(i)));
}

/** One rounding each, whatever the width of the codes. */
const CODES = ['uint8', 'int8', 'int16', 'uint16'] as const;

function ofCodes(equation: string, run: (call: TensorCall) => Computed): TensorSteps {
  return { ...tensorSteps(equation, run), codes: CODES };
}

export function binaryFloats(equation: string, apply: (a: number, b: number) => number): TensorSteps {
  return ofCodes(`quantize(${equation}) of float32`, (call) => {
    const [a, b] = call.inputs.map(realOf);
    const [readA, readB] = [reader(call, 0), reader(call, 1)];
    return written(call, (i) => f32(apply(a(readA(i)), b(readB(i)))));
  });
}

/** Of two values, one rounding. */
export const arithmeticOfFloats = {
  add: binaryFloats('a + b', (a, b) => a + b),
  sub: binaryFloats('a - b', (a, b) => a - b),
  mul: binaryFloats('a * b', (a, b) => a * b),
  div: binaryFloats('a / b', (a, b) => a / b),
  maximum: binaryFloats('max(a, b)', Math.max),
  minimum: binaryFloats('min(a, b)', Math.min),
} satisfies Readonly<Record<string, TensorSteps>>;

/** 1 where it holds, 0 elsewhere. */
export const comparisonsOfFloats: Readonly<Record<string, TensorSteps>> = {
  gt: binaryFloats('a > b', (a, b) => Number(a > b)),
  ge: binaryFloats('a >= b', (a, b) => Number(a >= b)),
  lt: binaryFloats('a < b', (a, b) => Number(a < b)),
  le: binaryFloats('a <= b', (a, b) => Number(a <= b)),
  eq: binaryFloats('a == b', (a, b) => Number(a === b)),
  ne: binaryFloats('a != b', (a, b) => Number(a !== b)),
};

export function unaryFloats(equation: string, apply: (x: number) => number): TensorSteps {
  return ofCodes(`quantize(${equation}) of float32`, (call) => {
    const x = realOf(call.inputs[0]);
    const read = reader(call, 0);
    return written(call, (i) => f32(apply(x(read(i)))));
  });
}

const FLOAT32 = { dtype: 'float32' } as const;

/** Dequantize, what `steps` compute of floats, quantize. */
export function betweenCodes(steps: TensorSteps): TensorSteps {
  return ofCodes(`quantize(${steps.equation})`, (call) => {
    const inputs = call.inputs.map((input) => {
      const data = float32s(input.data, realOf(input));
      return { ...input, params: FLOAT32, data };
    });
    const reals = steps.run({ ...call, inputs, output: { ...call.output, params: FLOAT32 } });
    const code = quantizeDivision.prepare(quantized(call.output));
    if (!('low' in reals)) return int32s(reals, code);
    const { data, low, high } = reals;
    return boundedCodes(data.length, (i) => codesOf({ low: low[i], near: data[i], high: high[i] }, code));
  });
}

/** Channels are the axis after the samples'. */
export const preluOfFloats: TensorSteps = tensorSteps('x < 0 ? x * w : x', (call) => {
  const { weight, scale, zeroPoint } = call.attributes as PreluAttributes;
  const { shape, data } = call.inputs[0];
  const each = sizeOf(shape.dims.slice(1));
  const slopes = Array.from(weight, (code) => f32((code - zeroPoint) * f32(scale)));
  const slope = (i: number) => slopes[slopes.length > 1 ? floor(i / each) % shape.dims[0] : 0];
  return float32s(data, (x, i) => (x < 0 ? x * slope(i) : x));
});
