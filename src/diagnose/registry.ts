import type { Cause } from './cause.js';
import { accumulatorFloat32 } from './causes/accumulatorFloat32.js';
import { accumulatorNotCleared } from './causes/accumulatorNotCleared.js';
import { accumulatorWraps } from './causes/accumulatorWraps.js';
import { activationFunction } from './causes/activationFunction.js';
import { activationRange } from './causes/activationRange.js';
import { activationZeroPointMissing } from './causes/activationZeroPointMissing.js';
import { biasFactor } from './causes/biasFactor.js';
import { biasInt32 } from './causes/biasInt32.js';
import { biasMissing } from './causes/biasMissing.js';
import { biasShifted } from './causes/biasShifted.js';
import { biasUnscaled } from './causes/biasUnscaled.js';
import { biasValue } from './causes/biasValue.js';
import { captureAfterRelu } from './causes/captureAfterRelu.js';
import { captureBeforeRelu } from './causes/captureBeforeRelu.js';
import { clampMissing } from './causes/clampMissing.js';
import { clampRange } from './causes/clampRange.js';
import { constantValues } from './causes/constantValues.js';
import { fixedPointMultiplier } from './causes/fixedPointMultiplier.js';
import { floatArithmetic } from './causes/floatArithmetic.js';
import { fma } from './causes/fma.js';
import { groupsWrong } from './causes/groupsWrong.js';
import { halfPrecision } from './causes/halfPrecision.js';
import { inputClamped } from './causes/inputClamped.js';
import { inputScaleWrong } from './causes/inputScaleWrong.js';
import { inputWraps } from './causes/inputWraps.js';
import { inputZeroPointWrong } from './causes/inputZeroPointWrong.js';
import { int16Saturation } from './causes/int16Saturation.js';
import { kernelDefect } from './causes/kernelDefect.js';
import { kOrder } from './causes/kOrder.js';
import { lowBitsLost } from './causes/lowBitsLost.js';
import { multiplierPrecision } from './causes/multiplierPrecision.js';
import { multiplierShort } from './causes/multiplierShort.js';
import { outputScaleWrong } from './causes/outputScaleWrong.js';
import { outputWraps } from './causes/outputWraps.js';
import { outputZeroPointWrong } from './causes/outputZeroPointWrong.js';
import { packingBorrow } from './causes/packingBorrow.js';
import { paddingPlace } from './causes/paddingPlace.js';
import { paddingValue } from './causes/paddingValue.js';
import { poolDivisor } from './causes/poolDivisor.js';
import { poolFunction } from './causes/poolFunction.js';
import { poolMaximum } from './causes/poolMaximum.js';
import { poolRounding } from './causes/poolRounding.js';
import { productRounded } from './causes/productRounded.js';
import { reluAtZero } from './causes/reluAtZero.js';
import { reluBeforeBias } from './causes/reluBeforeBias.js';
import { resampleGrid } from './causes/resampleGrid.js';
import { rescaleMissing } from './causes/rescaleMissing.js';
import { roundingCeil, roundingFloor, roundingHalfAway, roundingHalfUp, roundingTruncate } from './causes/rounding.js';
import { roundingTwice } from './causes/roundingTwice.js';
import { samplesMisaligned } from './causes/samplesMisaligned.js';
import { scaledSumWraps } from './causes/scaledSumWraps.js';
import { scalePerTensor } from './causes/scalePerTensor.js';
import { scaleRounded } from './causes/scaleRounded.js';
import { scaleShifted } from './causes/scaleShifted.js';
import { signedness } from './causes/signedness.js';
import { tableEntry } from './causes/tableEntry.js';
import { thresholdRule } from './causes/thresholdRule.js';
import { weightScaleWrong } from './causes/weightScaleWrong.js';
import { weightTransposed } from './causes/weightTransposed.js';
import { weightValue } from './causes/weightValue.js';
import { weightZeroPointMissing } from './causes/weightZeroPointMissing.js';
import { dilationWrong, kernelSizeWrong, strideWrong } from './causes/windowSteps.js';
import { zeroPointBeforeRounding } from './causes/zeroPointBeforeRounding.js';

/** Every cause, what is common first: of two equally simple explanations the earlier one is named. */
export const causes: readonly Cause[] = [
  constantValues,
  samplesMisaligned,
  captureAfterRelu,
  captureBeforeRelu,
  reluAtZero,
  int16Saturation,
  kernelDefect,
  floatArithmetic,
  activationRange,
  activationZeroPointMissing,
  weightZeroPointMissing,
  signedness,
  inputWraps,
  lowBitsLost,
  inputClamped,
  weightTransposed,
  kOrder,
  paddingValue,
  paddingPlace,
  groupsWrong,
  dilationWrong,
  strideWrong,
  kernelSizeWrong,
  biasMissing,
  biasInt32,
  biasUnscaled,
  rescaleMissing,
  poolDivisor,
  poolFunction,
  poolMaximum,
  resampleGrid,
  poolRounding,
  biasFactor,
  roundingTruncate,
  roundingFloor,
  roundingHalfAway,
  roundingHalfUp,
  roundingCeil,
  zeroPointBeforeRounding,
  reluBeforeBias,
  activationFunction,
  multiplierShort,
  fixedPointMultiplier,
  fma,
  multiplierPrecision,
  halfPrecision,
  tableEntry,
  roundingTwice,
  scaledSumWraps,
  thresholdRule,
  clampRange,
  clampMissing,
  outputWraps,
  productRounded,
  scaleRounded,
  outputScaleWrong,
  outputZeroPointWrong,
  inputScaleWrong,
  inputZeroPointWrong,
  scalePerTensor,
  scaleShifted,
  biasShifted,
  weightScaleWrong,
  weightValue,
  packingBorrow,
  accumulatorNotCleared,
  accumulatorWraps,
  accumulatorFloat32,
  biasValue,
] as readonly Cause[];

/** Found from what all channels share, at little cost. */
export const OF_ALL_CHANNELS: readonly string[] = [
  'activation-range',
  'activation-zero-point-missing',
  'output-zero-point-wrong',
  'output-scale-wrong',
  'input-scale-wrong',
  'input-zero-point-wrong',
  'bias-factor',
  'bias-shifted',
  'scale-shifted',
  'multiplier-short',
];

export function causeOf(code: string): Cause {
  const cause = causes.find((row) => row.code === code);
  if (!cause) throw new Error(`${code} is no cause`);
  return cause;
}
