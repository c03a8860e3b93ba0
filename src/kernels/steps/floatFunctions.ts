/**
 * Functions of one value that a runtime computes in float32, between dequantize and quantize or on floats: by which polynomial is not modelled, how far
 * it may be off is. Every code within the bound is possible. Source: MLAS and Eigen, whose errors stay within 4 steps of float32.
 */
import type { EluAttributes, GateAttributes } from '../../nouns/attributes.js';
import type { TensorSteps } from '../../nouns/kernel.js';
import { isQuantized } from '../../nouns/value.js';
import { erf } from '../../numeric/erf.js';
import { f32 } from '../../numeric/float.js';
import { clamp } from '../../numeric/integer.js';
import { boundedCodes, codesOf, type Near } from './bounded.js';
import { quantized } from './call.js';
import { dequantizeFloat32 } from './dequantize.js';
import { geluNear, type NearFunction, ofResult, RELATIVE, realsNear, siluNear } from './nearFunction.js';
import { quantizeDivision } from './quantize.js';
import { boundedSteps } from './tensor.js';

function ofCodes(equation: string, functionOf: (attributes: unknown) => NearFunction): TensorSteps {
  return boundedSteps(`quantize(${equation}), float32`, ({ attributes, inputs: [input], output }) => {
    const apply = functionOf(attributes);
    if (!isQuantized(output.params)) return realsNear(input.data, apply);
    const [real, code] = [dequantizeFloat32.prepare(quantized(input)), quantizeDivision.prepare(quantized(output))];
    const known = new Map<number, Near>();
    const near = (x: number) => {
      const found = known.get(x) ?? bounded(apply(real(x)), code);
      known.set(x, found);
      return found;
    };
    return boundedCodes(input.data.length, (i) => near(input.data[i]));
  });
}

function bounded([exact, magnitude]: readonly [number, number], code: (real: number) => number): Near {
  const error = magnitude * RELATIVE;
  return codesOf({ low: f32(exact - error), near: f32(exact), high: f32(exact + error) }, code);
}

const gate = (x: number) => Math.min(Math.max(x / 6 + 0.5, 0), 1);

const hardsigmoid = (attributes: unknown): NearFunction => {
  const { slope, offset } = attributes as GateAttributes;
  return (x) => [clamp(slope * x + offset, 0, 1), Math.abs(slope * x) + Math.abs(offset)];
};

const elu = (attributes: unknown): NearFunction => {
  const { alpha, scale, inputScale } = attributes as EluAttributes;
  return (x) => (x >= 0 ? [x * scale, 0] : [alpha * Math.expm1(x * inputScale) * scale, Math.abs(alpha * scale)]);
};

/** MLAS adds 0.5 last: its error is that of 0.5, however small the result. */
export const sigmoidInFloat32 = ofCodes('1 / (1 + exp(-x))', () => (x) => [1 / (1 + Math.exp(-x)), 0.5]);

/** By the op's name. */
export const functionsInFloat: Readonly<Record<string, TensorSteps>> = {
  tanh: ofCodes('tanh(x)', ofResult(Math.tanh)),
  erf: ofCodes('erf(x)', ofResult(erf)),
  exp: ofCodes('exp(x)', ofResult(Math.exp)),
  sqrt: ofCodes('sqrt(x)', ofResult(Math.sqrt)),
  hardsigmoid: ofCodes('max(0, min(1, alpha * x + beta))', hardsigmoid),
  hardswish: ofCodes('x * max(0, min(1, x / 6 + 0.5))', () => (x) => [
    x * gate(x),
    Math.abs(x) * (Math.abs(x) / 6 + 0.5),
  ]),
  elu: ofCodes('x >= 0 ? x : alpha * (exp(x) - 1)', elu),
  silu: ofCodes('x / (1 + exp(-alpha * x))', (attributes) => {
    const near = siluNear(attributes);
    return (x) => [near(x)[0], Math.abs(x)];
  }),
  gelu: ofCodes('x / 2 * (1 + erf(x / sqrt(2)))', geluNear),
};
