/**
 * y = clamp((acc * m + 2^(30 - e) >> 31 - e) + zp): one rounding, half up, of the 64-bit product; m, e, acc as in tflite-double
 *
 * On ARM64 the same layer rounds differently at batch 1 (tflite-double-up). Source: ruy kernel_arm64.cc, apply_multiplier.cc.
 */
import type { Kernel } from '../nouns/kernel.js';
import { tfliteOptimizedOps } from './families.js';
import { tfliteLibrary } from './libraries.js';
import { fixedPointSingleRounding } from './steps/multiplier.js';
import { rescaleSingleRounding } from './steps/rescale.js';

export const tfliteSingle: Kernel = {
  name: 'tflite-single',
  equation: 'y = clamp(roundHalfUp(acc*m / 2^(31-e)) + zp), m * 2^(e-31) = (sx*sw)/sy, bias int32',
  runsOn:
    'TFLite optimized kernels (ruy) on ARM64 and x86 without AVX, batch > 1 (without dot product, weights of -128 can also wrap: xnnpack-arm); TFLITE_SINGLE_ROUNDING builds',
  runtime: 'tflite',
  family: 'tflite',
  library: tfliteLibrary,
  origin: 'TFLite optimized kernels on ARM',
  sums: 'exact',
  confirm: null,
  ops: tfliteOptimizedOps({ multiplier: fixedPointSingleRounding }, rescaleSingleRounding),
};
