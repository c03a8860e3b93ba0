/**
 * y as torchao, acc in int16-saturating pairs that restart in each K block, as oneDNN's on AVX2
 *
 * oneDNN's int8 product held to AVX2 adds 128 to the codes of the input and multiplies with vpmaddubsw, whatever the zero point. What
 * torchao's reduce_range=True is for. PyTorch from 2.6 on asks oneDNN only on a CPU with AVX512-VNNI: such sums take that CPU and the
 * variable. Earlier releases asked it on every CPU.
 */
import type { Kernel } from '../nouns/kernel.js';
import { pairsSaturatingInt16Blocks384 } from './steps/accumulate.js';
import { torchaoForms } from './torchaoLayer.js';

export const torchaoAvx2: Kernel = {
  name: 'torchao-avx2',
  equation: 'y = f32(f32(f32(acc) * sx) * sw) + b, sx of each row, acc in int16-saturating pairs, K blocks of 384',
  runsOn:
    'torchao quantize_ with int8 activations and weights, eager, float32, on x86 with AVX512-VNNI under ONEDNN_MAX_CPU_ISA=AVX2; not on a CPU without VNNI from PyTorch 2.6 on',
  runtime: 'pytorch',
  family: 'torchao',
  origin: 'torchao, oneDNN held to AVX2',
  sums: 'saturating',
  needs: 'avx512Vnni',
  confirm: 'ONEDNN_MAX_CPU_ISA=AVX2',
  wholeRuntime: true,
  ...torchaoForms(pairsSaturatingInt16Blocks384),
};
