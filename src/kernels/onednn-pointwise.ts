/**
 * y = rint(clamp(f32(f32(v * f32(1 / sy)) + zp))), v = f32(f32(f32(f32(acc) * sx) * sw) + b), acc exact
 *
 * onednn without the double inversion: onednn::qlinear_pointwise uses scales as given. A float output is v.
 */
import type { Kernel } from '../nouns/kernel.js';
import { oneDnnOps } from './families.js';
import { oneDnnLibrary } from './libraries.js';
import { pyTorchFloats } from './pyTorchFloats.js';
import { exact } from './steps/accumulate.js';
import { dynamicPointwise } from './steps/dynamic.js';
import { oneDnnBrgemm } from './steps/multiplier.js';

export const onednnPointwise: Kernel = {
  name: 'onednn-pointwise',
  equation: 'y = rint(clamp(((f32(acc) * sx) * sw + b) * (1/sy) + zp)), acc exact',
  runsOn: 'PyTorch PT2E lowered by Inductor (onednn::qlinear_pointwise) on x86 with AVX512-VNNI',
  runtime: 'pytorch',
  family: 'onednn',
  library: oneDnnLibrary,
  flow: 'pt2e-lowered',
  origin: 'PT2E lowered to oneDNN on a CPU with VNNI',
  sums: 'exact',
  confirm: null,
  onFloats: pyTorchFloats,
  ops: oneDnnOps(
    { accumulate: exact, multiplier: oneDnnBrgemm },
    { isa: 'vnni', invertsScales: false },
    dynamicPointwise(oneDnnBrgemm),
  ),
};
