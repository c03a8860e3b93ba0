/**
 * y = clamp(roundHalfAway(((acc << max(e, 0)) * m + 2^30 >> 31) / 2^max(-e, 0)) + zp), acc = sum + bq exact
 *
 * m, e = QuantizeMultiplier(d); per tensor d = f32(sx * sw) / sy, per channel d = sx * sw / sy in double. Two roundings: half up,
 * then half away from zero. bq = roundHalfAway(f32(b * f32(1 / f32(sx * sw)))), the converter's.
 * Source: tflite kernels/internal/common.cc, quantization_util.cc; gemmlowp fixedpoint.h.
 */
import type { Kernel } from '../nouns/kernel.js';
import { tfliteOps } from './families.js';
import { tfliteLibrary } from './libraries.js';
import { fixedPointDoubleRounding } from './steps/multiplier.js';
import { rescaleDoubleRounding } from './steps/rescale.js';

export const tfliteDouble: Kernel = {
  name: 'tflite-double',
  equation: 'y = clamp(roundHalfAway((acc*m + 2^30 >> 31) / 2^-e) + zp), m * 2^(e-31) = (sx*sw)/sy, bias int32',
  runsOn: 'TFLite reference kernels (BUILTIN_REF) up to LiteRT 1.2, tflite_runtime 2.14; TFLite Micro',
  runtime: 'tflite',
  family: 'tflite',
  library: tfliteLibrary,
  origin: 'TFLite reference kernels (double rounding)',
  sums: 'exact',
  confirm: null,
  ops: tfliteOps({ multiplier: fixedPointDoubleRounding }, rescaleDoubleRounding),
};
