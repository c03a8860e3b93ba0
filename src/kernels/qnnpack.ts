/**
 * y = clamp(sat16(sat16(int32(rint(f32(f32(acc + bq) * m)))) + zp)), m = f32(f32(sw * sx) * f32(1 / sy)), acc exact
 *
 * bq = int32(rint(f32(b * f32(1 / f32(sw * sx))))): the bias is an integer, unlike FBGEMM's, and the multiplier multiplies by a
 * reciprocal. Trap: multiplier and bias are packed at the first call and again only when the input scale changes.
 * Source: PyTorch qlinear.cpp, QuantUtils.h, q8gemm/4x4c2-sse2.c.
 */
import type { Kernel } from '../nouns/kernel.js';
import { qnnpackOps } from './families.js';
import { qnnpackLibrary } from './libraries.js';
import { pyTorchFloats } from './pyTorchFloats.js';

export const qnnpack: Kernel = {
  name: 'qnnpack',
  equation: 'y = clamp(sat16(sat16(rint(f32(acc + rint(b * (1/(sw*sx)))) * ((sw*sx) * (1/sy)))) + zp)), acc exact',
  runsOn: 'PyTorch engine qnnpack on any x86',
  runtime: 'pytorch',
  family: 'qnnpack',
  library: qnnpackLibrary,
  origin: 'QNNPACK',
  sums: 'exact',
  confirm: null,
  onFloats: pyTorchFloats,
  ops: qnnpackOps(),
};
