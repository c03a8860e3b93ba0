/**
 * FBGEMM as it runs on a CPU with AVX512-VNNI. Linear layers are fbgemm's, value by value: exact.
 */
import type { Kernel } from '../nouns/kernel.js';
import { fbgemmLinearOps } from './families.js';
import { exact } from './steps/accumulate.js';

export const fbgemmVnni: Kernel = {
  name: 'fbgemm-vnni',
  equation: 'y = clamp(sat16(sat16(rint((f32(acc) + b/(sx*sw)) * ((sx*sw)/sy))) + zp)), acc exact in linear layers',
  runsOn: 'PyTorch engines fbgemm and x86 on x86 with AVX512-VNNI',
  runtime: 'pytorch',
  family: 'fbgemm',
  origin: 'FBGEMM on a CPU with AVX512-VNNI',
  sums: 'exact',
  confirm: null,
  ops: fbgemmLinearOps({ accumulate: exact }),
};
