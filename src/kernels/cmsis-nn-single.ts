/**
 * The arithmetic of tflite-single: one rounding, half up.
 */
import type { Kernel } from '../nouns/kernel.js';
import { tfliteOps } from './families.js';
import { tfliteLibrary } from './libraries.js';
import { fixedPointSingleRounding } from './steps/multiplier.js';
import { rescaleSingleRounding } from './steps/rescale.js';

export const cmsisNnSingle: Kernel = {
  name: 'cmsis-nn-single',
  equation: 'y = clamp(roundHalfUp(acc*m / 2^(31-e)) + zp), m * 2^(e-31) = (sx*sw)/sy, bias int32',
  runsOn: 'CMSIS-NN built with CMSIS_NN_USE_SINGLE_ROUNDING',
  runtime: 'cmsis-nn',
  family: 'cmsis',
  library: tfliteLibrary,
  origin: 'CMSIS-NN built for single rounding',
  sums: 'exact',
  confirm: null,
  ops: tfliteOps({ multiplier: fixedPointSingleRounding }, rescaleSingleRounding),
};
