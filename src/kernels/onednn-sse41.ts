/**
 * As onednn-avx2, with K blocks of 256: one up to 256, two halves below 512.
 */
import type { Kernel } from '../nouns/kernel.js';
import { oneDnnOps } from './families.js';
import { oneDnnLibrary } from './libraries.js';
import { pairsSaturatingInt16Blocks256 } from './steps/accumulate.js';
import { dynamicOneDnnGemm } from './steps/dynamic.js';
import { oneDnnGemmInverted } from './steps/multiplier.js';
import { sumsOfQuantizedSse41 } from './steps/onReals.js';

export const onednnSse41: Kernel = {
  name: 'onednn-sse41',
  equation:
    'y = rint(clamp((f32(acc) * (sx*sw) + b) * (1/sy) + zp)), scales inverted twice, acc in int16-saturating pairs, K blocks of 256',
  runsOn: 'PyTorch engine onednn on x86 with AVX or SSE4.1 only (gemm:jit); ONEDNN_MAX_CPU_ISA=SSE41 or AVX',
  runtime: 'pytorch',
  family: 'onednn',
  library: oneDnnLibrary,
  origin: 'oneDNN on a CPU with SSE4.1 or AVX',
  sums: 'saturating',
  confirm: 'ONEDNN_MAX_CPU_ISA=SSE41',
  ops: oneDnnOps(
    { accumulate: pairsSaturatingInt16Blocks256, multiplier: oneDnnGemmInverted },
    { isa: 'avx2', invertsScales: true, onReals: sumsOfQuantizedSse41 },
    dynamicOneDnnGemm,
  ),
};
