/**
 * As tflite-double, but the second rounding is half up too: they differ on negative ties of the second step only.
 *
 * Source: ruy kernel_avx*.cc.
 */
import type { Kernel } from '../nouns/kernel.js';
import { tfliteOptimizedOps } from './families.js';
import { tfliteLibrary } from './libraries.js';
import { fixedPointDoubleRoundingUp } from './steps/multiplier.js';
import { rescaleDoubleRoundingUp } from './steps/rescale.js';

export const tfliteDoubleUp: Kernel = {
  name: 'tflite-double-up',
  equation: 'y = clamp(roundHalfUp((acc*m + 2^30 >> 31) / 2^-e) + zp), m * 2^(e-31) = (sx*sw)/sy, bias int32',
  runsOn:
    'TFLite optimized kernels (ruy) on x86 with AVX and later; on ARM64 and older x86 only for batch 1 with out_features >= 4 and in_features >= 8',
  runtime: 'tflite',
  family: 'tflite',
  library: tfliteLibrary,
  origin: 'TFLite optimized kernels on x86',
  sums: 'exact',
  confirm: null,
  ops: tfliteOptimizedOps({ multiplier: fixedPointDoubleRoundingUp }, rescaleDoubleRoundingUp),
};
