/**
 * y = rint(clamp(f32(f32(v * f32(1 / sy)) + zp))), v = f32(f32(f32(acc) * f32(sx * sw)) + b), acc exact
 *
 * onednn-amx without the double inversion: large calls (K > 16 and (M > 32 or M * N > 256)) multiply by the product of both
 * scales, smaller ones are onednn-pointwise's. A float output is v.
 */
import type { Kernel } from '../nouns/kernel.js';
import { oneDnnOps } from './families.js';
import { oneDnnLibrary } from './libraries.js';
import { pyTorchFloats } from './pyTorchFloats.js';
import { exact } from './steps/accumulate.js';
import { dynamicPointwise } from './steps/dynamic.js';
import { oneDnnAmx } from './steps/multiplier.js';

export const onednnPointwiseAmx: Kernel = {
  name: 'onednn-pointwise-amx',
  equation: 'y = rint(clamp((f32(acc) * (sx*sw) + b) * (1/sy) + zp)), acc exact; small calls as onednn-pointwise',
  runsOn: 'PyTorch PT2E lowered by Inductor (onednn::qlinear_pointwise) on x86 with AMX',
  runtime: 'pytorch',
  family: 'onednn',
  library: oneDnnLibrary,
  flow: 'pt2e-lowered',
  origin: 'PT2E lowered to oneDNN on a CPU with AMX',
  sums: 'exact',
  needs: 'amxInt8',
  confirm: null,
  onFloats: pyTorchFloats,
  ops: oneDnnOps(
    { accumulate: exact, multiplier: oneDnnAmx },
    { isa: 'amx', invertsScales: false },
    dynamicPointwise(oneDnnAmx),
  ),
};
