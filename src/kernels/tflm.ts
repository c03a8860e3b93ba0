/**
 * TFLite Micro's C code: as tflite-double, but with d = sx * sw / sy in double also where there is one weight scale.
 *
 * Source: tflite_micro kernels/fully_connected_common.cc, quantize_common.cc.
 */
import type { Kernel } from '../nouns/kernel.js';
import { tfliteLibrary } from './libraries.js';
import { microOps, referenceFloats } from './tflite.js';
import { ofMicroLayer } from './tfliteLayer.js';

export const tflm: Kernel = {
  name: 'tflm',
  equation: 'y = clamp(roundHalfAway((acc*m + 2^30 >> 31) / 2^-e) + zp), m * 2^(e-31) = sx*sw/sy in double, bias int32',
  runsOn: 'TFLite Micro with its reference kernels in C, whole models',
  runtime: 'tflite',
  family: 'tflite',
  library: tfliteLibrary,
  origin: 'TFLite Micro',
  sums: 'exact',
  confirm: null,
  runWith: "TFLite Micro's reference kernels (OPTIMIZED_KERNEL_DIR unset, no CMSIS-NN)",
  wholeRuntime: true,
  onFloats: referenceFloats,
  ops: microOps,
  ofLayer: ofMicroLayer,
};
