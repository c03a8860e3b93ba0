/**
 * y as torchao, acc in int16-saturating pairs that restart in each K block, as oneDNN's on AVX2
 *
 * torch._int_mm is oneDNN's int8 matmul: without VNNI it adds 128 to the codes of the input and multiplies with vpmaddubsw, whatever the
 * zero point. What torchao's reduce_range=True is for. ONEDNN_MAX_CPU_ISA=AVX2 makes any x86 CPU compute so.
 */
import type { Kernel } from '../nouns/kernel.js';
import { pairsSaturatingInt16Blocks384 } from './steps/accumulate.js';
import { torchaoForms } from './torchaoLayer.js';

export const torchaoAvx2: Kernel = {
  name: 'torchao-avx2',
  equation: 'y = f32(f32(f32(acc) * sx) * sw) + b, sx of each row, acc in int16-saturating pairs, K blocks of 384',
  runsOn:
    'torchao quantize_ with int8 activations and weights, eager, float32, on x86 with AVX2 without VNNI; ONEDNN_MAX_CPU_ISA=AVX2',
  runtime: 'pytorch',
  family: 'torchao',
  origin: 'torchao on a CPU with AVX2 and no VNNI',
  sums: 'saturating',
  confirm: 'ONEDNN_MAX_CPU_ISA=AVX2',
  wholeRuntime: true,
  ...torchaoForms(pairsSaturatingInt16Blocks384),
};
