/**
 * y = rint(clamp(f32(f32(v * f32(1 / sy)) + zp))), v = f32(f32(f32(acc) * f32(sx * sw)) + b), acc as in onednn-avx2
 */
import type { Kernel } from '../nouns/kernel.js';
import { oneDnnOps } from './families.js';
import { oneDnnLibrary } from './libraries.js';
import { pyTorchFloats } from './pyTorchFloats.js';
import { pairsSaturatingInt16Blocks384 } from './steps/accumulate.js';
import { dynamicPointwise } from './steps/dynamic.js';
import { oneDnnGemm } from './steps/multiplier.js';

export const onednnPointwiseAvx2: Kernel = {
  name: 'onednn-pointwise-avx2',
  equation: 'y = rint(clamp((f32(acc) * (sx*sw) + b) * (1/sy) + zp)), acc in int16-saturating pairs, K blocks of 384',
  runsOn:
    'PyTorch PT2E lowered by Inductor (onednn::qlinear_pointwise) on x86 with AVX2 without AVX512; ONEDNN_MAX_CPU_ISA=AVX2',
  runtime: 'pytorch',
  family: 'onednn',
  library: oneDnnLibrary,
  flow: 'pt2e-lowered',
  origin: 'PT2E lowered to oneDNN on a CPU without VNNI',
  sums: 'saturating',
  confirm: 'ONEDNN_MAX_CPU_ISA=AVX2',
  onFloats: pyTorchFloats,
  ops: oneDnnOps(
    { accumulate: pairsSaturatingInt16Blocks384, multiplier: oneDnnGemm },
    { isa: 'avx2', invertsScales: false },
    dynamicPointwise(oneDnnGemm),
  ),
};
