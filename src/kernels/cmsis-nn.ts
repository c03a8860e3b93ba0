/**
 * The arithmetic of tflite-double: arm_nn_requantize with two roundings; multiplier and shift come from TFLM's QuantizeMultiplier.
 *
 * Source: arm_nnsupportfunctions.h, arm_nn_vec_mat_mult_t_s8.c.
 */
import type { Kernel } from '../nouns/kernel.js';
import { tfliteOps } from './families.js';
import { tfliteLibrary } from './libraries.js';
import { fixedPointDoubleRounding } from './steps/multiplier.js';
import { rescaleDoubleRounding } from './steps/rescale.js';

export const cmsisNn: Kernel = {
  name: 'cmsis-nn',
  equation: 'y = clamp(roundHalfAway((acc*m + 2^30 >> 31) / 2^-e) + zp), m * 2^(e-31) = (sx*sw)/sy, bias int32',
  runsOn: 'CMSIS-NN arm_fully_connected_s8 and _per_channel_s8, default build',
  runtime: 'cmsis-nn',
  family: 'cmsis',
  library: tfliteLibrary,
  origin: 'CMSIS-NN',
  sums: 'exact',
  confirm: null,
  ops: tfliteOps({ multiplier: fixedPointDoubleRounding }, rescaleDoubleRounding),
};
