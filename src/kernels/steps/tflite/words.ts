/** What a runtime does in a layer, in words that tell it from another's: fits "NAME ...". */
import type { OpSteps } from '../../../nouns/kernel.js';
import { equationOf } from '../../departure.js';
import { dequantizeBuiltin, dequantizeFloat32 } from '../dequantize.js';
import {
  fixedPointConvolution,
  fixedPointDoubleRounding,
  fixedPointDoubleRoundingOfDoubles,
  fixedPointDoubleRoundingUp,
  fixedPointSingleRounding,
} from '../fixedPointMultiplier.js';
import { float32InputRatio, float32Product, float32WeightRatio, float64OfFloat32Scales } from '../multiplier.js';
import { quantizeDivisionHalfAway, quantizeDoubleHalfAway, quantizeReciprocal } from '../quantize.js';
import {
  clampToSixOnly,
  rescaleBuiltin,
  rescaleDefault,
  rescaleDoubleRounding,
  rescaleFloat32Ratio,
  rescaleXnnpack,
} from '../rescale.js';
import {
  leakyReluBuiltin,
  leakyReluMicro,
  leakyReluNegativeMultiplier,
  leakyReluReference,
  leakyReluXnnpack,
} from './activations.js';
import { addBuiltin, addXnnpack } from './add.js';
import {
  hybridInBlocks,
  hybridReference,
  hybridSymmetric,
  hybridWeightFirst,
  hybridXnnpack,
  hybridXnnpackByPlace,
} from './hybrid.js';
import { matmulMicro, matmulRuy, matmulTflite, matmulXnnpack } from './matmul.js';
import { multiplyMicro, multiplyTflite, multiplyXnnpack } from './multiply.js';
import {
  convolutionRuyAvx,
  convolutionRuySingle,
  inBlocksOf8,
  inFlatBlocksOf16,
  linearRuySingle,
  sameUnderflows,
  shortMultiplierLinear,
  shortMultiplierOfDoubles,
  weightZeroPointIgnored,
} from './products.js';
import {
  meanBuiltin,
  meanReference,
  meanXnnpack,
  meanXnnpackAway,
  sumBuiltin,
  sumMicro,
  sumReference,
  sumXnnpack,
  sumXnnpackAway,
} from './reduce.js';
import { resizeBuiltin, resizeMicro, resizeReference, resizeXnnpack } from './resize.js';
import { softmaxBuiltin, softmaxMicro, softmaxReference } from './softmax.js';
import { logisticMicro, logisticTflite, logisticXnnpack, tanhMicro, tanhTflite, tanhXnnpack } from './tables.js';

const TWICE_AWAY = 'rounds twice, half up and then half away from zero';
const TWICE_UP = 'rounds twice, both halves up';
const ONCE_UP = 'rounds once in integers, half up';
const ONCE_FLOAT = 'rounds once, in float32, half to even';
const SHORT = 'multiplies exact sums by 16 bits and rounds once, half up';

/** By the step that decides. */
const WORDS: ReadonlyMap<unknown, string> = new Map<unknown, string>([
  [
    sameUnderflows,
    'takes every cell for padding where the kernel is smaller than the stride, so that only the bias is left',
  ],
  [weightZeroPointIgnored, "ignores the weights' zero point"],
  [fixedPointConvolution, TWICE_AWAY],
  [fixedPointDoubleRounding, TWICE_AWAY],
  [fixedPointDoubleRoundingOfDoubles, TWICE_AWAY],
  [fixedPointDoubleRoundingUp, TWICE_UP],
  [fixedPointSingleRounding, ONCE_UP],
  [convolutionRuyAvx, TWICE_UP],
  [convolutionRuySingle, ONCE_UP],
  [linearRuySingle, ONCE_UP],
  [inBlocksOf8, `${TWICE_UP} in blocks of 8 channels, half away from zero in the rest`],
  [inFlatBlocksOf16, `${TWICE_UP} in blocks of 16 values, half away from zero in the rest`],
  [shortMultiplierLinear, SHORT],
  [shortMultiplierOfDoubles, SHORT],
  [float64OfFloat32Scales, 'multiplies by a double and rounds once, half away from zero'],
  ...[float32Product, float32InputRatio, float32WeightRatio].map((step) => [step, ONCE_FLOAT] as const),
  [quantizeDivisionHalfAway, 'divides and rounds half away from zero'],
  [quantizeDoubleHalfAway, 'divides in double and rounds half away from zero'],
  [quantizeReciprocal, 'multiplies by the reciprocal and rounds half to even'],
  [dequantizeFloat32, 'multiplies centred codes: one rounding'],
  [dequantizeBuiltin, 'adds a constant to the product: two roundings'],
  [rescaleDoubleRounding, TWICE_AWAY],
  [rescaleFloat32Ratio, `${TWICE_AWAY}, by a float32 quotient`],
  [rescaleBuiltin, TWICE_UP],
  [rescaleXnnpack, 'has a multiplier of 8 fractional bits and rounds once, half up'],
  [rescaleDefault, 'has a multiplier of 8 fractional bits and rounds once, half up'],
  [clampToSixOnly, 'only clamps, and rescales nothing'],
  [leakyReluReference, `${TWICE_AWAY}, the sign of the slope last`],
  [leakyReluNegativeMultiplier, `${TWICE_AWAY}, with the sign of the slope in the multiplier`],
  [leakyReluBuiltin, `${TWICE_AWAY}, with the sign of an int16 slope in the multiplier`],
  [leakyReluMicro, `${TWICE_AWAY}, by a slope in double`],
  [leakyReluXnnpack, 'has multipliers of 8 fractional bits and rounds once, half up'],
  [addBuiltin, 'rounds each operand once in its vectors, then the sum half away from zero'],
  [multiplyTflite, `${TWICE_AWAY}, by a float32 quotient`],
  [multiplyMicro, `${TWICE_AWAY}, by a quotient in double`],
  [multiplyXnnpack, ONCE_FLOAT],
  [matmulTflite, TWICE_AWAY],
  [matmulMicro, `${TWICE_AWAY}, by a quotient in double`],
  [matmulRuy, TWICE_UP],
  [matmulXnnpack, ONCE_FLOAT],
  [meanReference, 'divides inside its multiplier and rounds the centred sum half away from zero'],
  [meanBuiltin, 'scales the raw sum and rounds the zero point by itself, in blocks of 16 channels half up'],
  [meanXnnpack, 'adds a float zero point before it rounds, half to even'],
  [meanXnnpackAway, 'adds a float zero point before it rounds, half away from zero'],
  [sumReference, 'reads the int8 codes as bytes without a sign (a defect)'],
  [sumMicro, TWICE_AWAY],
  [sumBuiltin, 'sums in float32 and rounds half away from zero'],
  [sumXnnpack, 'adds a float zero point before it rounds, half to even'],
  [sumXnnpackAway, 'adds a float zero point before it rounds, half away from zero'],
  ...[resizeReference, resizeBuiltin, resizeMicro].map((step) => [step, 'counts positions in 1/1024'] as const),
  [resizeXnnpack, 'counts positions in float32, with weights of 11 bits'],
  [softmaxReference, 'sums exponentials in fixed point'],
  [softmaxMicro, 'sums exponentials in fixed point'],
  [softmaxBuiltin, 'sums exponentials of a float table'],
  ...[logisticTflite, tanhTflite].map((step) => [step, 'rounds a float32 table half away from zero'] as const),
  ...[logisticXnnpack, tanhXnnpack].map(
    (step) => [step, 'adds the zero point to a float table and rounds half to even'] as const,
  ),
  ...[logisticMicro, tanhMicro].map((step) => [step, 'computes in fixed point, without the output scale'] as const),
  [hybridReference, "quantizes each row's range half away from zero"],
  [hybridSymmetric, 'quantizes each row around 0'],
  [hybridWeightFirst, "quantizes each image half away from zero, and multiplies by the weights' scale first"],
  [hybridInBlocks, "quantizes each image half away from zero; blocks of 4 channels take the weights' scale first"],
  [hybridXnnpack, "quantizes each row's range half to even, and fuses the bias into the product"],
  [hybridXnnpackByPlace, 'quantizes each pixel by itself half to even, and fuses the bias into the product'],
]);

/** Two forms of a layer in words, as far as those differ; else as equations. */
export function formsInWords(one: OpSteps, other: OpSteps): readonly [one: string, other: string] {
  const [a, b] = [inWords(one), inWords(other)];
  return a !== null && b !== null && a !== b
    ? [a, b]
    : [`computes ${equationOf(one)}`, `computes ${one === other ? SAME_IN_FLOAT : equationOf(other)}`];
}

function inWords(steps: OpSteps): string | null {
  if (steps.kind === 'tensor') return WORDS.get(steps) ?? (isAddXnnpack(steps) ? ADD_XNNPACK : null);
  if (steps.kind === 'product') {
    return WORDS.get(steps.accumulate) ?? WORDS.get(steps.dynamic) ?? WORDS.get(steps.multiplier) ?? null;
  }
  return WORDS.get(steps.rescale ?? steps.quantize ?? steps.dequantize) ?? null;
}

/** Of what is known within a bound. */
const SAME_IN_FLOAT = 'the same in another order or by another function, within what float32 leaves open';

const ADD_XNNPACK = 'has multipliers of 20 bits and rounds once, half up';
const ADD_EQUATION = addXnnpack(1).equation;
const isAddXnnpack = ({ equation }: { equation: string }) => equation === ADD_EQUATION;
