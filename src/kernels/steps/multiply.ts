/** Products of codes: integers, requantized in float32. sa, sb, sy: scales; da, db: centred codes. */
import type { PreluAttributes } from '../../nouns/attributes.js';
import type { JoinedPair, QuantizeStep, TensorCall, TensorSteps } from '../../nouns/kernel.js';
import type { QuantParams } from '../../nouns/value.js';
import { f32 } from '../../numeric/float.js';
import { clamp, convertToInt32 } from '../../numeric/integer.js';
import { floor } from '../../numeric/round.js';
import { sizeOf } from '../../tensor/shape.js';
import { clampOfCodes } from './activation.js';
import { fill, filledPairs, INT32_REACH, quantized, reachOf, reader } from './call.js';
import { dequantizeFloat32 } from './dequantize.js';
import { quantizeTwoRoundings } from './quantize.js';
import { tensorSteps } from './tensor.js';

/** An integer to a code, the same in vectors and one by one. */
export function requantized(multiplier: number, { zeroPoint, quantMin, quantMax }: QuantParams) {
  return (sum: number) => clamp(convertToInt32(f32(f32(sum) * multiplier)) + zeroPoint, quantMin, quantMax);
}

export const multiplyAten: TensorSteps = tensorSteps(
  'rint(da * db * (sa * sb * (1 / sy))) + zp',
  filledPairs((call) => {
    const [a, b, output] = [...call.inputs, call.output].map(quantized);
    const multiplier = f32(f32(f32(a.scale) * f32(b.scale)) * f32(1 / f32(output.scale)));
    const code = requantized(multiplier, output);
    const [lo, hi] = clampOfCodes(call.activation, output, quantizeTwoRoundings);
    return {
      of: 'int32',
      join: 'product',
      left: (one) => one - a.zeroPoint,
      right: (other) => other - b.zeroPoint,
      code: (product) => clamp(code(product), lo, hi),
      reach: Math.min(INT32_REACH, 2 ** 30 / multiplier), // beyond, the conversion overflows
    };
  }),
  'integers',
);

/** Dequantize both, multiply floats, quantize by that step: PT2E's reference graph. */
export function multiplyFloats(quantize: QuantizeStep): TensorSteps {
  const pairOf = (call: TensorCall): JoinedPair => {
    const [a, b] = call.inputs.map((input) => dequantizeFloat32.prepare(quantized(input)));
    const output = quantized(call.output);
    const code = quantize.prepare(output);
    const [lo, hi] = clampOfCodes(call.activation, output, quantize);
    return {
      of: 'float32',
      join: 'product',
      left: a,
      right: b,
      code: (product) => clamp(code(product), lo, hi),
      reach: reachOf(output),
    };
  };
  return tensorSteps(`quantize(sa * da * sb * db), ${quantize.equation}`, filledPairs(pairOf));
}

/** What 1.0 is among the codes of PReLU's slopes, where those do not hold it: a defect of PyTorch's, by which positive values shrink. */
export function shrunkOne(params: Omit<PreluAttributes, 'weight'>, input: QuantParams): number | null {
  const one = (codeOfOne(params, input) - params.zeroPoint) * params.scale;
  return one < 1 - params.scale / 2 ? one : null;
}

function codeOfOne({ scale, zeroPoint }: Omit<PreluAttributes, 'weight'>, input: QuantParams): number {
  return quantizeTwoRoundings.prepare({ ...input, scale, zeroPoint })(1);
}

/** Channels are PyTorch's, the axis after the samples'. 1.0 is a code of the weight's parameters too: where they do not hold it, positive values shrink. */
export const preluAten: TensorSteps = tensorSteps(
  'rint((max(d, 0) * one + min(d, 0) * dw) * (sx * sw * (1 / sy))) + zp',
  (call) => {
    const { weight, ...params } = call.attributes as PreluAttributes;
    const [{ shape }] = call.inputs;
    const [input, output] = [...call.inputs, call.output].map(quantized);
    const one = codeOfOne(params, input) - params.zeroPoint;
    const code = requantized(f32(f32(f32(input.scale) * f32(params.scale)) * f32(1 / f32(output.scale))), output);
    const read = reader(call, 0);
    const [channels, size] = [shape.dims[0], sizeOf(shape.dims)];
    const each = size / channels;
    const perChannel = weight.length === channels;
    return fill(call, (i) => {
      const d = read(i) - input.zeroPoint;
      const slope = weight[perChannel ? floor((i % size) / each) : 0] - params.zeroPoint;
      return code(Math.max(d, 0) * one + Math.min(d, 0) * slope);
    });
  },
);
