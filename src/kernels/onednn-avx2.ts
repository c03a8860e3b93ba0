/**
 * y = rint(clamp(f32(f32(v * f32(1 / R(sy))) + zp))), v = f32(f32(f32(acc) * f32(R(sx) * R(sw))) + b), R as in onednn
 *
 * acc in int16-saturating pairs that restart in each K block: one up to K = 256, two halves below 768, then blocks of 384.
 * int8 activations are xored with 0x80 and saturate too, but with a zero point other than 0 they are exact.
 */
import type { Kernel } from '../nouns/kernel.js';
import { oneDnnOps } from './families.js';
import { oneDnnLibrary } from './libraries.js';
import { pyTorchFloats } from './pyTorchFloats.js';
import { pairsSaturatingInt16Blocks384 } from './steps/accumulate.js';
import { dynamicOneDnnGemm } from './steps/dynamic.js';
import { oneDnnGemmInverted } from './steps/multiplier.js';

export const onednnAvx2: Kernel = {
  name: 'onednn-avx2',
  equation:
    'y = rint(clamp((f32(acc) * (sx*sw) + b) * (1/sy) + zp)), scales inverted twice, acc in int16-saturating pairs, K blocks of 384',
  runsOn: 'PyTorch engine onednn on x86 with AVX2 without AVX512 (gemm:jit); ONEDNN_MAX_CPU_ISA=AVX2',
  runtime: 'pytorch',
  family: 'onednn',
  library: oneDnnLibrary,
  origin: 'oneDNN on a CPU with AVX2 and no VNNI',
  sums: 'saturating',
  confirm: 'ONEDNN_MAX_CPU_ISA=AVX2',
  onFloats: pyTorchFloats,
  ops: oneDnnOps(
    { accumulate: pairsSaturatingInt16Blocks384, multiplier: oneDnnGemmInverted },
    { isa: 'avx2', invertsScales: true },
    dynamicOneDnnGemm,
  ),
};
