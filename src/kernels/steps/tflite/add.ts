/** y = a + b, a - b. u: an operand in units of 2^-left of twice the larger scale. */
import type { AddAttributes } from '../../../nouns/attributes.js';
import type { JoinedPair, TensorCall, TensorSteps } from '../../../nouns/kernel.js';
import type { QuantParams } from '../../../nouns/value.js';
import type { FixedPointMultiplier } from '../../../nouns/written.js';
import {
  multiplyByFixedPointDoubleRounding,
  multiplyHighQ31,
  quantizeMultiplier,
  roundingDivideByPot,
} from '../../../numeric/fixedPoint.js';
import { f32, frexp } from '../../../numeric/float.js';
import { clamp, saturateInt16, wrapInt32 } from '../../../numeric/integer.js';
import { floor, roundHalfEven } from '../../../numeric/round.js';
import { sizeOf } from '../../../tensor/shape.js';
import { noElement } from '../../../tensor/vectorBody.js';
import { fillEither, filledPairs, fillPairs, INT32_REACH, ofLayer, quantized, rememberedLater } from '../call.js';
import { tensorSteps } from '../tensor.js';
import {
  BYTES,
  BYTES_AND_INT16,
  clampOf,
  codeOf,
  inBlocks,
  type Runtime,
  reachOfMultiplier,
  scaleOf,
} from './common.js';

type Sign = 1 | -1;

interface Operands {
  readonly call: TensorCall;
  readonly sign: Sign;
  readonly params: readonly QuantParams[];
}

function operandsOf(call: TensorCall, sign: Sign): Operands {
  return { call, sign, params: [...call.inputs, call.output].map(quantized) };
}

const EQUATION =
  'clamp(roundHalfAway((ua + ub) * mo / 2^eo) + zp), u = roundHalfAway((d << left) * m / 2^e), left = 20 (int16: 15)';

/** Whether shifts alone do: int16, and scales that are powers of two. */
export function isOfPowers({ call: { attributes }, params }: Pick<Operands, 'call' | 'params'>): boolean {
  const isAllowed = (attributes as AddAttributes | null)?.potScaleInt16 ?? false;
  const isPower = ({ scale }: QuantParams) => frexp(f32(scale)).fraction === 0.5;
  // TFLite refuses an output finer than an operand
  const isCoarsest = params.every(({ scale }) => scale <= params[2].scale);
  return isAllowed && isCoarsest && params[2].dtype === 'int16' && params.every(isPower);
}

/** Each operand by its own shift, halves away from zero; the sum saturates at int16. */
function byShifts({ call, sign, params }: Operands): JoinedPair {
  const [a, b, y] = params.map(({ scale, zeroPoint }) => ({ exponent: frexp(f32(scale)).exponent, zeroPoint }));
  const code = codeOf(params[2], clampOf(call, 'reference'));
  return {
    of: 'int32',
    join: 'sum',
    left: (one) => roundingDivideByPot(one - a.zeroPoint, y.exponent - a.exponent),
    right: (other) => sign * roundingDivideByPot(other - b.zeroPoint, y.exponent - b.exponent),
    code: (sum) => code(saturateInt16(sum)),
    reach: INT32_REACH,
  };
}

/** An operand in the units of the sum, of the centred code. */
type Scaled = (d: number, left: number, multiplier: FixedPointMultiplier) => number;

/** Two roundings an operand, two of the sum. */
const inFixedPoint: Scaled = (d, left, { multiplier, exponent }) =>
  roundingDivideByPot(multiplyHighQ31(wrapInt32(d * 2 ** left), multiplier), -exponent);

/** Vector code shifts first: one rounding an operand. */
const inVectors: Scaled = (d, left, { multiplier, exponent }) =>
  multiplyHighQ31(floor(d * 2 ** (left + exponent)), multiplier);

/** uint8's vectors round an operand once, and cut off what its shift leaves (LiteRT 2.3.0 on x86: 3 of 6400 values tell). */
const inVectorsOfBytes: Scaled = (d, left, { multiplier, exponent }) =>
  floor(multiplyHighQ31(wrapInt32(d * 2 ** left), multiplier) * 2 ** exponent);

const leftOf = ({ dtype }: QuantParams) => (dtype === 'int16' ? 15 : 20);

function pairOf(
  { call, sign, params }: Operands,
  scaled: Scaled,
  runtime: Runtime,
  left = leftOf(params[2]),
): JoinedPair {
  const [sa, sb, sy] = params.map(scaleOf);
  const twice = f32(2 * Math.max(sa, sb));
  const output = quantizeMultiplier(twice / f32(2 ** left * sy));
  const [a, b] = [sa, sb].map((scale, input) => {
    const multiplier = quantizeMultiplier(scale / twice);
    return rememberedLater(params[input], (code) => scaled(code - params[input].zeroPoint, left, multiplier));
  });
  const code = codeOf(params[2], clampOf(call, runtime));
  return {
    of: 'int32',
    join: 'sum',
    left: a,
    right: sign === 1 ? b : (other) => -b(other),
    code: (sum) => code(multiplyByFixedPointDoubleRounding(wrapInt32(sum), output)),
    reach: reachOfMultiplier(output),
  };
}

/** Left shifts that are left out, or are other ones (tensorflow/tensorflow#59859 optimized it away). */
function otherShifts(sign: Sign): TensorSteps['rivals'] {
  return [0, 8, 10, 12, 16].map((leftShift) => {
    const pairOfCall = (call: TensorCall) => pairOf(operandsOf(call, sign), inFixedPoint, 'reference', leftShift);
    const equation = `${EQUATION.slice(0, EQUATION.indexOf(', left'))}, left = ${leftShift}`;
    const steps: TensorSteps = { ...tensorSteps(equation, filledPairs(pairOfCall)), codes: BYTES };
    return { cause: 'fixed-point-multiplier', steps, leftShift };
  });
}

/** Reference resolver, TFLite Micro. */
export function addReference(sign: Sign): TensorSteps {
  const pairOfCall = (call: TensorCall) => {
    const own = operandsOf(call, sign);
    return isOfPowers(own) ? byShifts(own) : pairOf(own, inFixedPoint, 'reference');
  };
  return { ...tensorSteps(EQUATION, filledPairs(pairOfCall)), codes: BYTES_AND_INT16, rivals: otherShifts(sign) };
}

/** int16 operands of unlike shapes go through the reference's code. */
export function isBroadcastInt16({ inputs, output }: TensorCall): boolean {
  return inputs.some(
    ({ params, shape }) => params.dtype === 'int16' && sizeOf(shape.dims) !== sizeOf(output.shape.dims),
  );
}

const builtinPairs = ofLayer((call) => {
  const own = operandsOf(call, 1);
  const isBytes = own.params[2].dtype === 'uint8';
  return {
    vectors: pairOf(own, isBytes ? inVectorsOfBytes : inVectors, 'builtin'),
    rest: pairOf(own, inFixedPoint, 'builtin'),
    width: isBytes ? 8 : 16,
  };
});

/** ADD of int8 and int16 takes 16 values at a time, of uint8 8; the rest and SUB as the reference. */
export const addBuiltin: TensorSteps = {
  ...tensorSteps(`${EQUATION}; in vectors u = roundHalfUp((d << left - e) * m)`, (call) => {
    const own = operandsOf(call, 1);
    if (isOfPowers(own)) return fillPairs(call, byShifts(own));
    const { vectors, rest, width } = builtinPairs(call);
    return fillEither(call, isBroadcastInt16(call) ? noElement : inBlocks(call, width), vectors, rest);
  }),
  codes: BYTES_AND_INT16,
  rivals: otherShifts(1),
};

/** Multipliers of 20 bits for both, and one shift, half up. */
export function addXnnpack(sign: Sign): TensorSteps {
  const equation = 'clamp(floor((ma * da + mb * db) / 2^s + 1/2) + zp), ma = rint(2^s * f32(sa / sy)), 20 bits';
  const pairOfCall = (call: TensorCall): JoinedPair => {
    const own = operandsOf(call, sign);
    const [sa, sb, sy] = own.params.map(scaleOf);
    const [ra, rb] = [f32(sa / sy), f32(sb / sy)];
    const shift = 21 - frexp(Math.max(ra, rb)).exponent;
    const [ma, mb] = [roundHalfEven(ra * 2 ** shift), sign * roundHalfEven(rb * 2 ** shift)];
    const [a, b, { zeroPoint, quantMin, quantMax }] = own.params;
    const [lo, hi] = clampOf(call, 'xnnpack');
    return {
      of: 'int32',
      join: 'sum',
      left: (one) => 2 ** (shift - 1) + ma * (one - a.zeroPoint),
      right: (other) => mb * (other - b.zeroPoint),
      code(sum) {
        const code = saturateInt16(floor(wrapInt32(sum) / 2 ** shift)) + zeroPoint;
        return clamp(clamp(code, quantMin, quantMax), lo, hi);
      },
      reach: INT32_REACH,
    };
  };
  return { ...tensorSteps(equation, filledPairs(pairOfCall)), codes: BYTES, rivals: otherShifts(sign) };
}
