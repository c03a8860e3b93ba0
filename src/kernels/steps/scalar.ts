/** A number added to codes, or multiplied: mostly the parameters change, and the codes stay. s, zp: of the input. */
import type { ScalarAttributes } from '../../nouns/attributes.js';
import type { TensorCall, TensorSteps } from '../../nouns/kernel.js';
import { CODE_RANGES, type QuantParams } from '../../nouns/value.js';
import { f32 } from '../../numeric/float.js';
import { clamp } from '../../numeric/integer.js';
import { roundHalfEven } from '../../numeric/round.js';
import { clampOfCodes } from './activation.js';
import { fill, quantized, reader } from './call.js';
import { requantized } from './multiply.js';
import { quantizeTwoRoundings } from './quantize.js';
import { tensorSteps } from './tensor.js';

/** The zero point moves by the number's code; where it would leave the codes, the scale grows. */
export const addScalarAten: TensorSteps = tensorSteps(
  'x, zp - rint(other / s); beyond the codes rint((d + rint(other / s)) * (s * (1 / sy))) + zpy',
  (call) => {
    const input = quantized(call.inputs[0]);
    const { dtype, scale, zeroPoint } = input;
    const [lo, hi] = CODE_RANGES[dtype];
    const added = roundHalfEven((call.attributes as ScalarAttributes).other / scale);
    const moved = zeroPoint - added;
    if (moved >= lo && moved <= hi) return codesOf(call, { ...input, zeroPoint: moved }, (x) => x);
    const end = moved < lo ? lo : hi;
    const grown = (Math.abs(moved - (lo + hi - end)) / (hi - lo)) * scale;
    const output = { ...input, scale: grown, zeroPoint: end };
    const code = requantized(f32(f32(scale) * f32(1 / f32(grown))), output);
    return codesOf(call, output, (x) => code(x - zeroPoint + added));
  },
);

/** A negative number mirrors the codes, 0 makes them 0. */
export const multiplyScalarAten: TensorSteps = tensorSteps('x, s * other; lo + hi - x where other < 0', (call) => {
  const input = quantized(call.inputs[0]);
  const { other } = call.attributes as ScalarAttributes;
  const [lo, hi] = CODE_RANGES[input.dtype];
  if (other > 0) return codesOf(call, input, (x) => x);
  if (other === 0) return fill(call, () => 0);
  return codesOf(call, { ...input, zeroPoint: hi + lo - input.zeroPoint }, (x) => hi + lo - x);
});

/** output: what PyTorch gives the value, whatever an observer saw. */
function codesOf(call: TensorCall, output: QuantParams, code: (x: number) => number): Int32Array {
  const read = reader(call, 0);
  const [lo, hi] = clampOfCodes(call.activation, output, quantizeTwoRoundings);
  return fill(call, (i) => clamp(code(read(i)), lo, hi));
}
