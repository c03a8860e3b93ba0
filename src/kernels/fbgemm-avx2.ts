/**
 * As fbgemm, but raw u8 * s8 products of k = (0,1), (2,3), ... saturate at int16 when they are added (VPMADDUBSW).
 *
 * Source: FBGEMM's acc32 kernels without VNNI; K blocks of 512 are even and do not shift the pairs.
 */
import type { Kernel } from '../nouns/kernel.js';
import { fbgemmOps } from './families.js';
import { fbgemmLibrary } from './libraries.js';
import { atenTensors } from './pyTorch.js';
import { pyTorchFloats } from './pyTorchFloats.js';
import { pairsSaturatingInt16 } from './steps/accumulate.js';
import { fbgemmConvolutionPairs } from './steps/fbgemmConvolution.js';

export const fbgemmAvx2: Kernel = {
  name: 'fbgemm-avx2',
  equation: 'y = clamp(sat16(sat16(rint((f32(acc) + b/(sx*sw)) * ((sx*sw)/sy))) + zp)), acc in int16-saturating pairs',
  runsOn:
    'PyTorch engines fbgemm and x86 on x86 with AVX2, or AVX512, without AVX512-VNNI; FBGEMM_ENABLE_INSTRUCTIONS=AVX2',
  runtime: 'pytorch',
  family: 'fbgemm',
  library: fbgemmLibrary,
  origin: 'FBGEMM on a CPU without VNNI',
  sums: 'saturating',
  confirm: 'FBGEMM_ENABLE_INSTRUCTIONS=AVX2',
  get onFloats() {
    return pyTorchFloats;
  },
  get tensors() {
    return atenTensors;
  },
  ops: fbgemmOps({ accumulate: pairsSaturatingInt16 }, fbgemmConvolutionPairs),
};
