/** y = a + b on codes, as each runtime computes it. sa, sb, sy: scales. */
import type { QuantizeStep, TensorCall, TensorSteps, TensorValue } from '../../nouns/kernel.js';
import { isQuantized, type QuantParams } from '../../nouns/value.js';
import { f32, fma32 } from '../../numeric/float.js';
import { saturateInt16, wrapInt32 } from '../../numeric/integer.js';
import { roundHalfEven } from '../../numeric/round.js';
import { broadcastIndex } from '../../tensor/broadcast.js';
import { sameDims, sizeOf } from '../../tensor/shape.js';
import { vectorBody } from '../../tensor/vectorBody.js';
import { clampOfCodes } from './activation.js';
import { quantizeTwoRoundings } from './quantize.js';
import { tensorSteps } from './tensor.js';

/**
 * ATen: vectors dequantize by FMA and add the zero point after rounding, what is left of a run does it before: half of all
 * unclipped sums differ where sa = sb = sy / 2 and the zero point is odd.
 */
export const addAten: TensorSteps = tensorSteps(
  'rint((sa * da + sb * db) / sy) + zp; at the end of a run zp before rint',
  (call) => {
    const { read, output, fill } = pairs(call);
    const [a, b] = call.inputs.map(({ params }) => quantized(params));
    const [bodyA, bodyB] = [a, b].map(dequantizeFused);
    const [tailA, tailB] = [a, b].map(dequantize);
    const isRelu = call.activation === 'relu';
    const inverse = f32(1 / f32(output.scale));
    const rest = quantizeTwoRoundings.prepare(output);
    const clamp = clamped(output);
    const isBody = bodyOf(call);
    return fill((i) => {
      const [p, q] = read(i);
      const body = isBody(i);
      const sum = body ? f32(bodyA(p) + bodyB(q)) : f32(tailA(p) + tailB(q));
      const v = isRelu ? Math.max(sum, 0) : sum;
      return body
        ? clamp(
            wrapInt32(roundHalfEven(Math.max(Math.min(f32(v * inverse), 2147483520), -2147483648)) + output.zeroPoint),
          )
        : rest(v);
    });
  },
);

/** QNNPACK where it takes them, uint8 of one shape; ATen's code elsewhere. */
export const addQnnpack: TensorSteps = {
  ...addAten,
  run: (call) => (isTakenByQnnpack(call) ? addIntegers : addAten).run(call),
};

function isTakenByQnnpack({ inputs, output }: TensorCall): boolean {
  const isSame = inputs.every(({ shape }) => sameDims(shape.dims, output.shape.dims));
  return isSame && [...inputs, output].every(({ params }) => params.dtype === 'uint8');
}

/** 22-bit multipliers and one shift, halves away from zero. */
const addIntegers: TensorSteps = tensorSteps('(ma * da + mb * db) / 2^shift, halves away from zero, + zp', (call) => {
  const { read, output, fill } = pairs(call);
  const [a, b] = call.inputs.map(({ params }) => quantized(params));
  const [ra, rb] = [a, b].map(({ scale }) => f32(f32(scale) / f32(output.scale)));
  const shift = 21 - Math.floor(Math.log2(Math.max(ra, rb)));
  const [ma, mb] = [ra, rb].map((ratio) => roundHalfEven(ratio * 2 ** shift));
  const unit = 2 ** shift;
  const [lo, hi] = clampOfCodes(call.activation, output, quantizeTwoRoundings);
  return fill((i) => {
    const [p, q] = read(i);
    const sum = ma * (p - a.zeroPoint) + mb * (q - b.zeroPoint);
    const rounded = Math.sign(sum) * Math.floor((Math.abs(sum) + Math.floor(unit / 2)) / unit);
    const code = saturateInt16(saturateInt16(rounded) + output.zeroPoint);
    return Math.min(Math.max(code, lo), hi);
  });
});

/** Dequantize both, add floats, quantize by that step: PT2E's reference graph, ONNX's text. */
export function addFloats(quantize: QuantizeStep): TensorSteps {
  return tensorSteps(`quantize(sa * da + sb * db), ${quantize.equation}`, (call) => {
    const { read, output, fill } = pairs(call);
    const [a, b] = call.inputs.map(({ params }) => dequantize(quantized(params)));
    const [lo, hi] = clampOfCodes(call.activation, output, quantize);
    const code = quantize.prepare(output);
    return fill((i) => {
      const [p, q] = read(i);
      return Math.min(Math.max(code(f32(a(p) + b(q))), lo), hi);
    });
  });
}

const dequantize = ({ scale, zeroPoint }: QuantParams) => {
  const s = f32(scale);
  return (code: number) => f32(s * (code - zeroPoint));
};

/** fma(s, q, s * -zp). */
const dequantizeFused = ({ scale, zeroPoint }: QuantParams) => {
  const s = f32(scale);
  const offset = f32(s * -zeroPoint);
  return (code: number) => fma32(s, code, offset);
};

const clamped =
  ({ quantMin, quantMax }: QuantParams) =>
  (code: number) =>
    Math.min(Math.max(code, quantMin), quantMax);

function bodyOf({ inputs, output, ofCall, first, threads }: TensorCall): (i: number) => boolean {
  const isBody = vectorBody(output, inputs, ofCall, threads);
  const start = first * sizeOf(output.shape.dims);
  return (i) => isBody(start + i);
}

/** The codes of both values at each place of the output. */
function pairs({ inputs, output, samples }: TensorCall) {
  const [a, b] = inputs;
  const [inA, inB] = inputs.map(({ shape }) => broadcastIndex(shape.dims, output.shape.dims));
  const size = sizeOf(output.shape.dims);
  const codeOf =
    ({ data }: TensorValue, index: (i: number) => number) =>
    (i: number) =>
      data[index(i)];
  const [readA, readB] = [codeOf(a, inA), codeOf(b, inB)];
  return {
    output: quantized(output.params),
    read: (i: number): [number, number] => [readA(i), readB(i)],
    fill: (code: (i: number) => number) => Int32Array.from({ length: samples * size }, (_, i) => code(i)),
  };
}

function quantized(params: TensorValue['params']): QuantParams {
  if (!isQuantized(params)) throw new Error('expected quantized values');
  return params;
}
