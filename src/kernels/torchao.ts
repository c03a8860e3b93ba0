/**
 * y = f32(f32(f32(f32(acc) * s_x) * s_w) + b), acc exact, s_x of each row (per token) or of the call; static: of the file
 *
 * `quantize_` with Int8DynamicActivationInt8WeightConfig or Int8StaticActivationInt8WeightConfig, eager, float32. Weights are int8 per
 * channel or per tensor. steps/torchao.ts has the arithmetic. torch.compile fuses the same in other orders: not this. Sums are
 * torch._int_mm's: oneDNN's on a CPU with AVX512-VNNI, a loop of PyTorch's own on any other (torchao.md). Both are exact.
 */
import type { Kernel } from '../nouns/kernel.js';
import { exact } from './steps/accumulate.js';
import { torchaoForms } from './torchaoLayer.js';

export const torchao: Kernel = {
  name: 'torchao',
  equation: 'y = f32(f32(f32(acc) * sx) * sw) + b, sx of each row, acc exact',
  runsOn: 'torchao quantize_ with int8 activations and weights, eager, float32, on any x86 CPU',
  runtime: 'pytorch',
  flow: 'torchao',
  family: 'torchao',
  origin: 'torchao',
  sums: 'exact',
  confirm: null,
  wholeRuntime: true,
  ...torchaoForms(exact),
};
