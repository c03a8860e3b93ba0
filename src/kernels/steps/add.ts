/** y = a + b on codes, as each runtime computes it. sa, sb, sy: scales; da, db: centred codes. */
import type { DequantizeStep, JoinedPair, QuantizeStep, TensorCall, TensorSteps } from '../../nouns/kernel.js';
import { f32 } from '../../numeric/float.js';
import { clamp, saturateInt16 } from '../../numeric/integer.js';
import { floor, roundHalfEven } from '../../numeric/round.js';
import { sameDims } from '../../tensor/shape.js';
import { clampOfCodes } from './activation.js';
import { bothWays } from './atenVectors.js';
import { filledPairs, INT32_REACH, quantized, reachOf, rememberedIn } from './call.js';
import { dequantizeFloat32 } from './dequantize.js';
import { quantizeTwoRoundings } from './quantize.js';
import { tensorSteps } from './tensor.js';

/** Dequantizes by FMA in vectors; no integer multipliers. */
export const addAten: TensorSteps = tensorSteps(
  'rint((sa * da + sb * db) / sy) + zp; at the end of a run zp before rint',
  bothWays((call, { dequantize, quantize }) => sumOf(call, dequantize, quantize)),
);

function isTakenByQnnpack({ inputs, output }: TensorCall): boolean {
  const isSame = inputs.every(({ shape }) => sameDims(shape.dims, output.shape.dims));
  return isSame && [...inputs, output].every(({ params }) => params.dtype === 'uint8');
}

/** 22-bit multipliers and one shift, halves away from zero. */
function integers(call: TensorCall): JoinedPair {
  const [a, b, output] = [...call.inputs, call.output].map(quantized);
  const [ra, rb] = [a, b].map(({ scale }) => f32(f32(scale) / f32(output.scale)));
  const shift = 21 - floor(Math.log2(Math.max(ra, rb)));
  const unit = 2 ** shift;
  const [ma, mb] = [ra, rb].map((ratio) => roundHalfEven(ratio * unit));
  const half = floor(unit / 2);
  const [lo, hi] = clampOfCodes(call.activation, output, quantizeTwoRoundings);
  return {
    of: 'int32',
    join: 'sum',
    left: (one) => ma * (one - a.zeroPoint),
    right: (other) => mb * (other - b.zeroPoint),
    code(sum) {
      const rounded = Math.sign(sum) * floor((Math.abs(sum) + half) / unit);
      const code = saturateInt16(saturateInt16(rounded) + output.zeroPoint);
      return clamp(code, lo, hi);
    },
    reach: INT32_REACH,
  };
}

const addIntegers = tensorSteps('(ma * da + mb * db) / 2^shift, halves away from zero, + zp', filledPairs(integers));

/** QNNPACK where it takes them, uint8 of one shape; ATen's code elsewhere. */
export const addQnnpack: TensorSteps = {
  ...addAten,
  equation: `${addIntegers.equation}; other than uint8 of one shape: ${addAten.equation}`,
  arithmetic: 'fixed-point',
  run: (call) => (isTakenByQnnpack(call) ? addIntegers : addAten).run(call),
};

/** Dequantize both, add floats, quantize by that step: PT2E's reference graph, ONNX's text. */
export function addFloats(quantize: QuantizeStep): TensorSteps {
  return tensorSteps(
    `quantize(sa * da + sb * db), ${quantize.equation}`,
    filledPairs((call) => sumOf(call, dequantizeFloat32, quantize)),
  );
}

/** Dequantize both, subtract floats, quantize by that step: PT2E's reference graph. */
export function subtractFloats(quantize: QuantizeStep): TensorSteps {
  return tensorSteps(
    `quantize(sa * da - sb * db), ${quantize.equation}`,
    filledPairs((call) => sumOf(call, dequantizeFloat32, quantize, -1)),
  );
}

function sumOf(call: TensorCall, dequantize: DequantizeStep, quantize: QuantizeStep, sign: 1 | -1 = 1): JoinedPair {
  const [a, b] = call.inputs.map(quantized).map((input) => rememberedIn(call, input, dequantize.prepare(input)));
  const output = quantized(call.output);
  const code = quantize.prepare(output);
  const [lo, hi] = clampOfCodes(call.activation, output, quantizeTwoRoundings);
  return {
    of: 'float32',
    join: 'sum',
    left: a,
    right: sign === 1 ? b : (other) => -b(other),
    code: (sum) => clamp(code(sum), lo, hi),
    reach: reachOf(output),
  };
}
