/**
 * As ort, with the int16-saturating pairs of VPMADDUBSW; int8 activations are xored with 0x80 first.
 *
 * A float -> int8 QDQ model saturates too: on x86 its activations are rewritten to uint8 (session.x64quantprecision=1 stops it).
 */
import type { Kernel } from '../nouns/kernel.js';
import { onnxRuntimeInFloat, onnxRuntimeMixed, onnxRuntimeOnFloatsInBlocks, onnxRuntimeOps } from './onnxRuntime.js';
import { pairsSaturatingInt16 } from './steps/accumulate.js';
import { dynamicOnnxRuntime } from './steps/dynamic.js';
import { onnxRuntimeConvolutionPairs } from './steps/onnxRuntimeConvolution.js';

export const ortAvx2: Kernel = {
  name: 'ort-avx2',
  equation: 'y = rint(clamp(f32(acc + rint(b/(sx*sw))) * ((sx*sw)/sy))) + zp, acc in int16-saturating pairs',
  runsOn: 'ONNX Runtime CPU, uint8 x int8 and QDQ models, on x86 with AVX2 without VNNI; AVX512 without VNNI expected',
  runtime: 'onnxruntime',
  family: 'ort',
  origin: 'ONNX Runtime on a CPU without VNNI',
  sums: 'saturating',
  confirm: null,
  ops: {
    ...onnxRuntimeOps({ accumulate: pairsSaturatingInt16 }, dynamicOnnxRuntime, onnxRuntimeConvolutionPairs),
    ...onnxRuntimeMixed('int16-saturating pairs', pairsSaturatingInt16),
  },
  opsInFloat: onnxRuntimeInFloat,
  onFloats: onnxRuntimeOnFloatsInBlocks,
};
