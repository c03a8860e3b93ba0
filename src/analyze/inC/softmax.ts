/** SOFTMAX of TFLite's runtimes in C: each value from its whole row. */

import { scaleOf } from '../../kernels/steps/tflite/common.js';
import { BITS, betaOf, softmaxMultiplier, softmaxTables } from '../../kernels/steps/tflite/softmax.js';
import { quantizeMultiplier } from '../../numeric/fixedPoint.js';
import { f32 } from '../../numeric/float.js';
import { floor } from '../../numeric/round.js';
import { floatText, inIntegers, pair, paramsOf, type Writer } from './writer.js';

/** `row`: the codes of the value's row, `d`: its own distance to the largest. */
function rowOf(length: number): string[] {
  return [
    `  int own = i % ${length};`,
    '  int64_t most, d, sum = 0;',
    `  most = x0[i - own];`,
    `  for (int k = 1; k < ${length}; k++) if (x0[i - own + k] > most) most = x0[i - own + k];`,
    '  d = x0[i] - most;',
  ];
}

const lengthOf = (dims: readonly number[]) => dims.at(-1) ?? 1;

const fixedPoint: Writer = (call) => {
  const [input, output] = paramsOf(call);
  const { multiplier, exponent } = quantizeMultiplier(Math.min(betaOf(call) * scaleOf(input) * 2 ** 26, 2 ** 31 - 1));
  if (exponent < 0) return null;
  const least = -floor((31 * 2 ** 26) / 2 ** exponent);
  const n = lengthOf(call.output.shape.dims);
  const power = (distance: string) => `softmax_power(${distance}, ${pair({ multiplier, exponent })}, ${least})`;
  return {
    arrays: [],
    lines: () => [
      ...rowOf(n),
      `  for (int k = 0; k < ${n}; k++) sum = wrap32(sum + shift_right_half_away(${power('x0[i - own + k] - most')}, 12));`,
      '  int zeros = leading_zeros(sum);',
      '  int64_t inverse = one_over_one_plus(wrap32(sum * ((int64_t)1 << zeros) - 2147483648), 32);',
      `  code = shift_right_half_away(high_product(inverse, ${power('d')}, 32), ${43 - BITS[output.dtype]!} - zeros) + (${output.quantMin});`,
      `  if (d < ${least}) code = ${output.quantMin};`,
    ],
    clamp: [output.quantMin, output.quantMax],
  };
};

/** float32 in integers: the table's entries are mantissas and exponents. */
const floatTable: Writer = (call) => {
  const [input, output] = paramsOf(call);
  const step = f32(-scaleOf(input) * betaOf(call));
  const powers = Array.from({ length: 256 }, (_, k) => inIntegers(f32(Math.exp(f32(step * k)))));
  const n = lengthOf(call.output.shape.dims);
  const entry = (id: string, k: string) => `(golden_float){${id}_mantissa[${k}], ${id}_exponent[${k}]}`;
  const rounded =
    output.dtype === 'uint8' ? 'to_floor(add(p, (golden_float){1, -1}))' : `to_away(p) + (${output.zeroPoint})`;
  return {
    arrays: [
      { name: 'mantissa', values: powers.map(({ mantissa }) => mantissa) },
      { name: 'exponent', values: powers.map(({ exponent }) => exponent) },
    ],
    lines: (id) => [
      ...rowOf(n),
      '  golden_float total = {0, 0}, p;',
      `  for (int k = 0; k < ${n}; k++) total = add(total, ${entry(id, 'most - x0[i - own + k]')});`,
      `  p = divide((golden_float){1, 0}, multiply(total, ${floatText(f32(output.scale))}));`,
      `  p = multiply(${entry(id, '-d')}, p);`,
      `  code = ${rounded} + sum;`,
    ],
    clamp: [output.quantMin, output.quantMax],
  };
};

/** Tables of 513 entries. */
const ofInt16 =
  (isMicro: boolean): Writer =>
  (call) => {
    const { exponentials, inverses } = softmaxTables(isMicro);
    const multiplier = softmaxMultiplier(call, isMicro);
    const n = lengthOf(call.output.shape.dims);
    const power = (id: string, distance: string) =>
      `looked_up(${id}_exponentials, saturate16(by_multiplier(${distance}, ${pair(multiplier)}) + 32767))`;
    return {
      arrays: [
        { name: 'exponentials', values: exponentials },
        { name: 'inverses', values: inverses },
      ],
      lines: (id) => [
        ...rowOf(n),
        `  for (int k = 0; k < ${n}; k++) sum += ${power(id, 'x0[i - own + k] - most')};`,
        '  int zeros = leading_zeros(sum);',
        '  int64_t scaled = floor_shift(sum * ((int64_t)1 << (zeros - 1)) + 8192, 14);',
        `  int64_t inverse = looked_up(${id}_inverses, saturate16(scaled - 98304));`,
        `  code = shift_right_half_up(${power(id, 'd')} * inverse, 31 - zeros);`,
      ],
      clamp: [0, 32767],
    };
  };

const isInt16 = (dtype: string) => dtype === 'int16';

/** The reference resolver's, and TFLite Micro's. */
export const softmaxInC =
  (isMicro: boolean): Writer =>
  (call) =>
    (isInt16(paramsOf(call)[0].dtype) ? ofInt16(isMicro) : fixedPoint)(call);

/** The builtin kernels': equal types of 8 bits by the float table. */
export const softmaxBuiltinInC: Writer = (call) => {
  const [input, output] = paramsOf(call);
  const byTable = input.dtype === output.dtype && !isInt16(input.dtype);
  return (byTable ? floatTable : softmaxInC(false))(call);
};
