/**
 * y = rint(clamp(f32(f32(v * f32(1 / R(sy))) + zp))), v = f32(f32(f32(acc) * f32(R(sx) * R(sw))) + b), acc exact
 *
 * As onednn, but a call of M rows with K > 16 and (M > 32 or M * N > 256) multiplies by the product of both scales, one rounding
 * less: one layer computes differently by batch size. Smaller calls are onednn's. It shows in float outputs and near ties.
 * int8 activations take the same way in large calls. Measured: oneDNN 3.12, brg_matmul:avx10_1_512_amx.
 */
import type { Kernel } from '../nouns/kernel.js';
import { oneDnnOps } from './families.js';
import { oneDnnLibrary } from './libraries.js';
import { pyTorchFloats } from './pyTorchFloats.js';
import { exact } from './steps/accumulate.js';
import { dynamicOneDnnAmx } from './steps/dynamic.js';
import { oneDnnAmxInverted } from './steps/multiplier.js';

export const onednnAmx: Kernel = {
  name: 'onednn-amx',
  equation:
    'y = rint(clamp((f32(acc) * (sx*sw) + b) * (1/sy) + zp)), scales inverted twice, acc exact; small calls as onednn',
  runsOn: 'PyTorch engine onednn on x86 with AMX (brg_matmul:avx10_1_512_amx)',
  runtime: 'pytorch',
  family: 'onednn',
  library: oneDnnLibrary,
  origin: 'oneDNN on a CPU with AMX',
  sums: 'exact',
  needs: 'amxInt8',
  confirm: null,
  onFloats: pyTorchFloats,
  ops: oneDnnOps(
    { accumulate: exact, multiplier: oneDnnAmxInverted },
    { isa: 'amx', invertsScales: true },
    dynamicOneDnnAmx,
  ),
};
