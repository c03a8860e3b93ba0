/**
 * y = clamp(roundHalfAway(acc * ((sx * sw) / sy)) + zp) in float64 of float32 scales, acc = sum + bq exact, bq as in tflite-double
 *
 * No fixed point at all, per tensor and per channel. Source: LiteRT commit 921360770.
 */
import type { Kernel } from '../nouns/kernel.js';
import { tfliteOps } from './families.js';
import { tfliteLibrary } from './libraries.js';
import { float64OfFloat32Scales } from './steps/multiplier.js';
import { rescaleDoubleRounding } from './steps/rescale.js';
import { halfAway } from './steps/round.js';

export const tfliteFloat64: Kernel = {
  name: 'tflite-float64',
  equation: 'y = clamp(roundHalfAway(acc * ((sx*sw)/sy)) + zp) in float64, bias int32',
  runsOn: 'LiteRT reference kernels (BUILTIN_REF) since April 2025 (1.4, 2.3)',
  runtime: 'tflite',
  family: 'tflite',
  library: tfliteLibrary,
  origin: 'LiteRT reference kernels from 1.4 on',
  sums: 'exact',
  confirm: null,
  ops: tfliteOps({ multiplier: float64OfFloat32Scales, round: halfAway }, rescaleDoubleRounding),
};
