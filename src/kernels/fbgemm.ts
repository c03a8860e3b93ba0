/**
 * y = clamp(sat16(sat16(int32(rint(v * f32(aw / sy)))) + zp)), aw = f32(sx * sw), acc exact
 *
 * per channel v = f32(f32(acc) + f32(b / aw)); per tensor v = fma(b, f32(1 / aw), f32(acc)), which GCC contracts.
 * All float32, rint: ties to even. The bias stays float (QNNPACK rounds it); the zero point comes after rounding (oneDNN: before).
 * What leaves int32 becomes -2^31, hence the smallest code. Source: PyTorch qlinear.cpp, FBGEMM QuantUtilsAvx2.cc.
 */
import type { Kernel } from '../nouns/kernel.js';
import { fbgemmOps } from './families.js';
import { fbgemmLibrary } from './libraries.js';
import { atenTensors } from './pyTorch.js';
import { pyTorchFloats } from './pyTorchFloats.js';
import { exact } from './steps/accumulate.js';

export const fbgemm: Kernel = {
  name: 'fbgemm',
  equation: 'y = clamp(sat16(sat16(rint((f32(acc) + b/(sx*sw)) * ((sx*sw)/sy))) + zp)), acc exact',
  runsOn: 'PyTorch engines fbgemm and x86 (every Linear, static and dynamic) on x86 with AVX512-VNNI',
  runtime: 'pytorch',
  family: 'fbgemm',
  library: fbgemmLibrary,
  origin: 'FBGEMM on a CPU with AVX512-VNNI',
  sums: 'exact',
  confirm: null,
  get onFloats() {
    return pyTorchFloats;
  },
  get tensors() {
    return atenTensors;
  },
  ops: fbgemmOps({ accumulate: exact }),
};
