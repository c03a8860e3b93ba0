/**
 * As onednn, with the int16-saturating pairs of fbgemm-avx2; int8 activations are exact (reference code).
 */
import type { Kernel } from '../nouns/kernel.js';
import { oneDnnOps } from './families.js';
import { oneDnnLibrary } from './libraries.js';
import { pyTorchFloats } from './pyTorchFloats.js';
import { pairsSaturatingInt16Unsigned } from './steps/accumulate.js';
import { dynamicOneDnnBrgemm } from './steps/dynamic.js';
import { oneDnnBrgemmInverted } from './steps/multiplier.js';

export const onednnAvx512: Kernel = {
  name: 'onednn-avx512',
  equation:
    'y = rint(clamp(((f32(acc) * sx) * sw + b) * (1/sy) + zp)), scales inverted twice, acc in int16-saturating pairs',
  runsOn:
    'PyTorch engine onednn on x86 with AVX512 without VNNI (brg_matmul:avx512_core); ONEDNN_MAX_CPU_ISA=AVX512_CORE',
  runtime: 'pytorch',
  family: 'onednn',
  library: oneDnnLibrary,
  origin: 'oneDNN on a CPU with AVX512 and no VNNI',
  sums: 'saturating',
  needs: 'avx512',
  confirm: 'ONEDNN_MAX_CPU_ISA=AVX512_CORE',
  onFloats: pyTorchFloats,
  ops: oneDnnOps(
    { accumulate: pairsSaturatingInt16Unsigned, multiplier: oneDnnBrgemmInverted },
    { isa: 'avx512', invertsScales: true },
    dynamicOneDnnBrgemm,
  ),
};
