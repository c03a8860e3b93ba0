/** y = a + b, a - b. u: an operand in units of 2^-left of twice the larger scale. */
import type { AddAttributes } from '../../../nouns/attributes.js';
import type { TensorCall, TensorSteps } from '../../../nouns/kernel.js';
import type { QuantParams } from '../../../nouns/value.js';
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
import { fill, quantized, reader } from '../call.js';
import { tensorSteps } from '../tensor.js';
import { BYTES, BYTES_AND_INT16, clampOf, codeOf, inBlocks, type Runtime, scaleOf } from './common.js';

type Sign = 1 | -1;
type Centred = (element: number) => number;

interface Operands {
  readonly call: TensorCall;
  readonly sign: Sign;
  readonly params: readonly QuantParams[];
  /** Centred codes. */
  readonly a: Centred;
  readonly b: Centred;
}

function operandsOf(call: TensorCall, sign: Sign): Operands {
  const params = [...call.inputs, call.output].map(quantized);
  const [a, b] = [0, 1].map((input) => {
    const read = reader(call, input);
    return (i: number) => read(i) - params[input].zeroPoint;
  });
  return { call, sign, params, a, b };
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
function byShifts({ call, sign, params, a, b }: Operands): Int32Array {
  const [ea, eb, ey] = params.map(({ scale }) => frexp(f32(scale)).exponent);
  const code = codeOf(params[2], clampOf(call, 'reference'));
  return fill(call, (i) =>
    code(saturateInt16(roundingDivideByPot(a(i), ey - ea) + sign * roundingDivideByPot(b(i), ey - eb))),
  );
}

interface Multipliers {
  readonly left: number;
  readonly sum: (ua: number, ub: number) => number;
  readonly operands: readonly ReturnType<typeof quantizeMultiplier>[];
}

function multipliersOf({ params, sign }: Operands): Multipliers {
  const left = params[2].dtype === 'int16' ? 15 : 20;
  const [sa, sb, sy] = params.map(scaleOf);
  const twice = f32(2 * Math.max(sa, sb));
  const output = quantizeMultiplier(twice / f32(2 ** left * sy));
  return {
    left,
    operands: [quantizeMultiplier(sa / twice), quantizeMultiplier(sb / twice)],
    sum: (ua, ub) => multiplyByFixedPointDoubleRounding(wrapInt32(ua + sign * ub), output),
  };
}

/** Two roundings an operand, two of the sum. */
function inFixedPoint(own: Operands): Centred {
  const { left, operands, sum } = multipliersOf(own);
  const [ua, ub] = operands.map(
    ({ multiplier, exponent }) =>
      (d: number) =>
        roundingDivideByPot(multiplyHighQ31(wrapInt32(d * 2 ** left), multiplier), -exponent),
  );
  return (i) => sum(ua(own.a(i)), ub(own.b(i)));
}

/** Vector code shifts first: one rounding an operand. */
function inVectors(own: Operands): Centred {
  const { left, operands, sum } = multipliersOf(own);
  const [ua, ub] = operands.map(
    ({ multiplier, exponent }) =>
      (d: number) =>
        multiplyHighQ31(floor(d * 2 ** (left + exponent)), multiplier),
  );
  return (i) => sum(ua(own.a(i)), ub(own.b(i)));
}

/** uint8's vectors round an operand once, and cut off what its shift leaves (LiteRT 2.3.0 on x86: 3 of 6400 values tell). */
function inVectorsOfBytes(own: Operands): Centred {
  const { left, operands, sum } = multipliersOf(own);
  const [ua, ub] = operands.map(
    ({ multiplier, exponent }) =>
      (d: number) =>
        floor(multiplyHighQ31(wrapInt32(d * 2 ** left), multiplier) * 2 ** exponent),
  );
  return (i) => sum(ua(own.a(i)), ub(own.b(i)));
}

function computed(own: Operands, steps: Centred, runtime: Runtime): Int32Array {
  const code = codeOf(own.params[2], clampOf(own.call, runtime));
  return fill(own.call, (i) => code(steps(i)));
}

/** Reference resolver, TFLite Micro. */
export function addReference(sign: Sign): TensorSteps {
  const run = (call: TensorCall) => {
    const own = operandsOf(call, sign);
    return isOfPowers(own) ? byShifts(own) : computed(own, inFixedPoint(own), 'reference');
  };
  return { ...tensorSteps(EQUATION, run), codes: BYTES_AND_INT16 };
}

/** int16 operands of unlike shapes go through the reference's code. */
export function isBroadcastInt16({ inputs, output }: TensorCall): boolean {
  return inputs.some(
    ({ params, shape }) => params.dtype === 'int16' && sizeOf(shape.dims) !== sizeOf(output.shape.dims),
  );
}

/** ADD of int8 and int16 takes 16 values at a time, of uint8 8; the rest and SUB as the reference. */
export const addBuiltin: TensorSteps = {
  ...tensorSteps(`${EQUATION}; in vectors u = roundHalfUp((d << left - e) * m)`, (call) => {
    const own = operandsOf(call, 1);
    if (isOfPowers(own)) return byShifts(own);
    const isBytes = own.params[2].dtype === 'uint8';
    const [rest, vectors] = [inFixedPoint(own), isBytes ? inVectorsOfBytes(own) : inVectors(own)];
    const isVector = isBroadcastInt16(call) ? () => false : inBlocks(call, isBytes ? 8 : 16);
    return computed(own, (i) => (isVector(i) ? vectors : rest)(i), 'builtin');
  }),
  codes: BYTES_AND_INT16,
};

/** Multipliers of 20 bits for both, and one shift, half up. */
export function addXnnpack(sign: Sign): TensorSteps {
  const equation = 'clamp(floor((ma * da + mb * db) / 2^s + 1/2) + zp), ma = rint(2^s * f32(sa / sy)), 20 bits';
  const run = (call: TensorCall) => {
    const own = operandsOf(call, sign);
    const [sa, sb, sy] = own.params.map(scaleOf);
    const [ra, rb] = [f32(sa / sy), f32(sb / sy)];
    const shift = 21 - frexp(Math.max(ra, rb)).exponent;
    const [ma, mb] = [roundHalfEven(ra * 2 ** shift), sign * roundHalfEven(rb * 2 ** shift)];
    const { zeroPoint, quantMin, quantMax } = own.params[2];
    const [lo, hi] = clampOf(call, 'xnnpack');
    return fill(call, (i) => {
      const sum = wrapInt32(2 ** (shift - 1) + ma * own.a(i) + mb * own.b(i));
      const code = saturateInt16(floor(sum / 2 ** shift)) + zeroPoint;
      return clamp(clamp(code, quantMin, quantMax), lo, hi);
    });
  };
  return { ...tensorSteps(equation, run), codes: BYTES };
}
