/** BATCH_MATMUL of two computed values: [.., M, K] times [.., K, N], either transposed first; it fuses no activation. */

import type { MatmulAttributes } from '../../../nouns/attributes.js';
import type { TensorCall, TensorSteps } from '../../../nouns/kernel.js';
import type { QuantParams } from '../../../nouns/value.js';
import { int32s } from '../../../numeric/array.js';
import { multiplyByFixedPointDoubleRoundingUp, quantizeMultiplier } from '../../../numeric/fixedPoint.js';
import { clamp, wrapInt32 } from '../../../numeric/integer.js';
import { floor } from '../../../numeric/round.js';
import { indicesOf, sizeOf } from '../../../tensor/shape.js';
import { quantized } from '../call.js';
import { tensorSteps, withoutActivation } from '../tensor.js';
import { codeOf } from './common.js';
import { doubles, float32Product, inFixedPoint, inFloat32, realOf } from './multiply.js';

/** One operand: where its matrix for a place of the output begins, and its strides. */
interface Operand {
  readonly base: (outer: readonly number[]) => number;
  /** Along the output's own axis, and along k. */
  readonly own: number;
  readonly inner: number;
}

function operandOf(dims: readonly number[], isTransposed: boolean, isFirst: boolean): Operand {
  const [outer, [rows, columns]] = [dims.slice(0, -2), dims.slice(-2)];
  const base = (at: readonly number[]) =>
    outer.reduce((flat, size, axis) => flat * size + (size === 1 ? 0 : at[axis + at.length - outer.length]), 0) *
    rows *
    columns;
  const [along, across] = isTransposed ? [1, columns] : [columns, 1];
  return isFirst ? { base, own: along, inner: across } : { base, own: across, inner: along };
}

/** Of each value of a sample's output: where its row of a and its column of b begin; how far apart their values are. */
interface Places {
  readonly a: Int32Array;
  readonly b: Int32Array;
  readonly inner: readonly [a: number, b: number];
  readonly depth: number;
}

export function matmulPlaces({ inputs: [a, b], output, attributes }: TensorCall): Places {
  const { adjX = false, adjY = false } = (attributes ?? {}) as Partial<MatmulAttributes>;
  const [left, right] = [operandOf(a.shape.dims, adjX, true), operandOf(b.shape.dims, adjY, false)];
  const { dims } = output.shape;
  const [outer, [rows, columns], size] = [dims.slice(0, -2), dims.slice(-2), sizeOf(dims)];
  const starts = (operand: Operand, own: (place: number) => number) =>
    int32s({ length: size }, (_, place) => {
      const at = indicesOf(floor(place / (rows * columns)), outer);
      return operand.base(at) + own(place) * operand.own;
    });
  return {
    a: starts(left, (place) => floor(place / columns) % rows),
    b: starts(right, (place) => place % columns),
    inner: [left.inner, right.inner],
    depth: adjX ? a.shape.dims.at(-2)! : a.shape.dims.at(-1)!,
  };
}

/** code: of a sum of products. */
function products(call: TensorCall, params: readonly QuantParams[], code: (sum: number) => number): Int32Array {
  const [a, b] = call.inputs;
  const places = matmulPlaces(call);
  const size = sizeOf(call.output.shape.dims);
  const [za, zb] = params.map(({ zeroPoint }) => zeroPoint);
  const [innerA, innerB] = places.inner;
  const out = new Int32Array(call.samples * size);
  for (let i = 0; i < out.length; i++) {
    const [sample, place] = [floor(i / size), i % size];
    const fromA = sample * sizeOf(a.shape.dims) + places.a[place];
    const fromB = sample * sizeOf(b.shape.dims) + places.b[place];
    let sum = 0;
    for (let k = 0; k < places.depth; k++) sum += (a.data[fromA + k * innerA] - za) * (b.data[fromB + k * innerB] - zb);
    out[i] = code(sum);
  }
  return out;
}

const WIDE = ['int8', 'int16'] as const;

type Steps = (params: readonly QuantParams[]) => (sum: number) => number;

function matmul(equation: string, stepsOf: Steps): TensorSteps {
  const run = (call: TensorCall) => {
    const params = [...call.inputs, call.output].map(quantized);
    const [{ quantMin, quantMax }, steps] = [params[2], stepsOf(params)];
    const code = codeOf(params[2], [quantMin, quantMax]);
    return products(call, params, (sum) => code(steps(sum)));
  };
  return withoutActivation({ ...tensorSteps(equation, run), codes: WIDE });
}

const fixedPoint = (multiplier: string) =>
  `clamp(roundHalfAway(((sum of da * db * m + 2^30) >> 31) / 2^-e) + zp), m * 2^(e-31) = ${multiplier}`;

export const matmulTflite = matmul(fixedPoint('f32(sa * sb) / sy'), (params) => inFixedPoint(params, float32Product));
export const matmulMicro = matmul(fixedPoint('sa * sb / sy in double'), (params) => inFixedPoint(params, doubles));

/** ruy, in LiteRT 1.x and TFLite 2.14 on AVX. */
export const matmulRuy = matmul(fixedPoint('f32(sa * sb) / sy, halves up'), (params) => {
  if (params[2].dtype === 'int16') return inFixedPoint(params, float32Product);
  const multiplier = quantizeMultiplier(realOf(float32Product, params));
  return (sum) => multiplyByFixedPointDoubleRoundingUp(wrapInt32(sum), multiplier);
});

function inXnnpack(zeroPointOf: (params: QuantParams) => number): TensorSteps {
  const run = (call: TensorCall) => {
    const [a, b, output] = [...call.inputs, call.output].map(quantized);
    const { quantMin, quantMax } = output;
    const code = inFloat32([a, b, output], [quantMin, quantMax]);
    const second = { ...b, zeroPoint: zeroPointOf(b) };
    return products(call, [a, second, output], (sum) => clamp(code(wrapInt32(sum)), quantMin, quantMax));
  };
  return withoutActivation({
    ...tensorSteps('rint(clamp(f32(sum of da * db) * f32(f32(sa * sb) / sy))) + zp', run),
    codes: ['int8'],
    departure: 'multiplier-precision',
  });
}

export const matmulXnnpack = inXnnpack(({ zeroPoint }) => zeroPoint);
/** TensorFlow 2.21 takes a second operand with a zero point, and ignores that. */
export const matmulXnnpackWithoutZeroPoint = inXnnpack(() => 0);
