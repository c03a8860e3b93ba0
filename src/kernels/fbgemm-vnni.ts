/**
 * FBGEMM as it runs on a CPU with AVX512-VNNI: fbgemm, value by value, but depthwise and direct transposed convolutions, which have
 * only saturating code.
 */
import type { Kernel } from '../nouns/kernel.js';
import { fbgemmOps } from './families.js';
import { fbgemmLibrary } from './libraries.js';
import { atenTensors } from './pyTorch.js';
import { pyTorchFloats } from './pyTorchFloats.js';
import { exact } from './steps/accumulate.js';
import { fbgemmSaturatingEverywhere } from './steps/fbgemmConvolution.js';

export const fbgemmVnni: Kernel = {
  name: 'fbgemm-vnni',
  equation:
    'y = clamp(sat16(sat16(rint((f32(acc) + b/(sx*sw)) * ((sx*sw)/sy))) + zp)), acc exact but in depthwise convolutions',
  runsOn: 'PyTorch engines fbgemm and x86 on x86 with AVX512-VNNI',
  runtime: 'pytorch',
  family: 'fbgemm',
  library: fbgemmLibrary,
  origin: 'FBGEMM on a CPU with AVX512-VNNI',
  sums: 'exact',
  needs: 'avx512Vnni',
  confirm: null,
  get onFloats() {
    return pyTorchFloats;
  },
  get tensors() {
    return atenTensors;
  },
  ops: fbgemmOps({ accumulate: exact }, fbgemmSaturatingEverywhere),
};
