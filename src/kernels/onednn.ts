/**
 * y = rint(clamp(f32(f32(v * f32(1 / R(sy))) + zp))), v = f32(f32(f32(f32(acc) * R(sx)) * R(sw)) + b), acc exact
 *
 * R(s) = f32(1 / f32(1 / s)): PyTorch passes 1/scale and it is inverted again. The zero point is added in float before
 * rounding, so ties round to an even code, unlike FBGEMM. int8 activations run oneDNN's reference code, which divides by R(sy).
 * Weight zero points must be 0. Source: PyTorch qlinear.cpp, ideep matmul.hpp, oneDNN brgemm.
 */
import type { Kernel } from '../nouns/kernel.js';
import { oneDnnOps } from './families.js';
import { oneDnnLibrary } from './libraries.js';
import { pyTorchFloats } from './pyTorchFloats.js';
import { exact } from './steps/accumulate.js';
import { dynamicOneDnnBrgemm } from './steps/dynamic.js';
import { oneDnnBrgemmInverted } from './steps/multiplier.js';

export const onednn: Kernel = {
  name: 'onednn',
  equation: 'y = rint(clamp(((f32(acc) * sx) * sw + b) * (1/sy) + zp)), scales inverted twice, acc exact',
  runsOn: 'PyTorch engine onednn on x86 with AVX512-VNNI (brg_matmul:avx512_core_vnni); AMX expected',
  runtime: 'pytorch',
  family: 'onednn',
  library: oneDnnLibrary,
  origin: 'oneDNN on a CPU with VNNI',
  sums: 'exact',
  confirm: null,
  onFloats: pyTorchFloats,
  ops: oneDnnOps(
    { accumulate: exact, multiplier: oneDnnBrgemmInverted },
    { isa: 'vnni', invertsScales: true },
    dynamicOneDnnBrgemm,
  ),
};
