import { int32Bias, type Row } from './case.js';

const SATURATING = { weight: [[127, 2]] };

/** w in the first of 16 places, w2 eight after it. */
const eightApart = (w: number, w2: number) => [[w, 0, 0, 0, 0, 0, 0, 0, w2, 0, 0, 0, 0, 0, 0, 0]];

/** Pairs of products and their sums. */
export const accumulators: readonly Row[] = [
  {
    code: 'int16-saturation',
    what: '255 * 129 is above 32767, 255 * 128 is not',
    raises: { layer: SATURATING },
    nearMiss: { layer: { weight: [[127, 1]] } },
    finds: { severity: 'error', message: 'x[0], x[1]: 255 * 127 + 255 * 2 = 32895 leaves int16' },
  },
  {
    code: 'int16-saturation',
    what: '255 * -129 is below -32768, 255 * -128 is not',
    raises: { layer: { weight: [[-128, -1]] } },
    nearMiss: { layer: { weight: [[-128, 0]] } },
    finds: { severity: 'error', message: 'x[0], x[1]: 255 * -128 + 255 * -1 = -32895 leaves int16' },
  },
  {
    code: 'int16-saturation',
    what: 'captured codes within 254 cannot: 254 * 129 = 32766',
    raises: { layer: SATURATING, x: [[254, 254]] },
    nearMiss: { layer: SATURATING, x: [[255, 254]] },
    finds: {
      severity: 'info',
      message: 'x[0], x[1]: 255 * 127 + 255 * 2 = 32895 leaves int16; safe within the captured codes 254..254',
    },
  },
  {
    code: 'int16-saturation',
    what: 'two codes of 255 that never meet',
    raises: {
      layer: SATURATING,
      x: [
        [255, 0],
        [0, 255],
      ],
    },
    nearMiss: { layer: SATURATING, x: [[254, 254]] },
    finds: {
      severity: 'warning',
      message: 'x[0], x[1]: 255 * 127 + 255 * 2 = 32895 leaves int16; the captured inputs do so in none',
    },
  },
  {
    code: 'int16-saturation',
    what: 'two codes of 255 that do',
    raises: { layer: SATURATING, x: [[255, 255]] },
    nearMiss: { layer: SATURATING, x: [[255, 0]] },
    finds: {
      severity: 'error',
      message: 'x[0], x[1]: 255 * 127 + 255 * 2 = 32895 leaves int16; the captured inputs do so in 1 of 1 values',
    },
  },
  {
    code: 'int16-wrap',
    what: '2 * 128 * 128 is 32768; with one -127 it is 32640',
    raises: { layer: { weight: eightApart(-128, -128) } },
    nearMiss: { layer: { weight: eightApart(-128, -127) } },
    finds: {
      severity: 'warning',
      message: 'weights of -128 at k = 0 and 8 meet in one int16 and wrap where both activations are smallest',
    },
  },
  {
    code: 'accumulator-overflows-int32',
    what: '765 + bias is 2^31, or 1 less',
    raises: { layer: int32Bias(2 ** 31 - 765) },
    nearMiss: { layer: int32Bias(2 ** 31 - 766) },
    finds: {
      severity: 'warning',
      message: 'the accumulator can reach 2147483648, which int32 does not hold: it wraps',
    },
  },
  {
    code: 'accumulator-above-2^24',
    what: '765 + bias is 2^24 + 1, or 2^24',
    raises: { layer: int32Bias(2 ** 24 - 764) },
    nearMiss: { layer: int32Bias(2 ** 24 - 765) },
    finds: {
      severity: 'info',
      message: 'the accumulator can reach 16777217, above 2^24: converting it to float32 rounds',
    },
  },
  {
    code: 'accumulator-above-2^24',
    what: 'the capture reaches it, or stays 1 below',
    raises: { layer: int32Bias(2 ** 24 - 764), x: [[255, 255]] },
    nearMiss: { layer: int32Bias(2 ** 24 - 764), x: [[254, 255]] },
    finds: {
      severity: 'warning',
      message: 'the accumulator can reach 16777217, above 2^24: converting it to float32 rounds',
    },
  },
];
