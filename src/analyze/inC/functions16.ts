/** LOGISTIC and TANH of int16 codes in C: a table with interpolation, or gemmlowp's fixed point. */
import { scaleOf } from '../../kernels/steps/tflite/common.js';
import { type Function16, powerOf, SIGMOID, tableUnits } from '../../kernels/steps/tflite/tables16.js';
import { paramsOf, type Writer } from './writer.js';

const HALVES = {
  logistic: { bits: 9, last: '(int64_t)32767 << 10', up: '(r + 512) >> 10', down: '(33554432 - r + 511) >> 10' },
  tanh: {
    bits: 8,
    last: '(int64_t)65535 << 8',
    up: 'floor_shift(r - 8388608 + 128, 8)',
    down: 'floor_shift(8388608 - r + 127, 8)',
  },
} as const;

/** isBuiltin: scales of a power of two go through fixed point. */
export const function16InC =
  (own: Function16, isBuiltin: boolean): Writer =>
  (call) => {
    const [input, output] = paramsOf(call);
    const power = powerOf(scaleOf(input), own.powers);
    const clamp = [output.quantMin, output.quantMax] as const;
    if (isBuiltin && power !== null) {
      const code = `fixed_${own.name}(saturate16((int64_t)x0[i] * ${2 ** power}), 3, 16)`;
      return { arrays: [], lines: () => [`  code = ${code};`], clamp };
    }
    const { multiplier, shift } = tableUnits(scaleOf(input), power);
    const { bits, last, up, down } = HALVES[own.name];
    return {
      arrays: [{ name: 'sigmoid', values: SIGMOID }],
      lines: (id) => [
        `  int64_t v = shift_right_half_up((int64_t)x0[i] * ${multiplier}, ${shift}), b = magnitude(v);`,
        `  int64_t u = b >> ${bits}, r = ${last};`,
        `  if (u < 255) r = ((int64_t)${id}_sigmoid[u] << ${bits}) + (b & ${2 ** bits - 1}) * (${id}_sigmoid[u + 1] - ${id}_sigmoid[u]);`,
        `  code = v >= 0 ? ${up} : ${down};`,
      ],
      clamp,
    };
  };
