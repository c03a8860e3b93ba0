/**
 * As ort, but products k and k + 8 of every 16 are added in int16 and wrap: only where weights of -128 meet twice.
 *
 * Dynamic: the bias is added in an FMA, unlike x86. With dot product it is ort.
 */
import type { Kernel } from '../nouns/kernel.js';
import { onnxRuntimeInFloat, onnxRuntimeOnFloats, onnxRuntimeOps, onnxRuntimeTensors } from './onnxRuntime.js';
import { neonMlalInt16Wrap } from './steps/accumulate.js';
import { dynamicOnnxRuntimeArm } from './steps/dynamic.js';
import { float32ProductFused } from './steps/multiplier.js';
import { addOnnxRuntime } from './steps/onnxRuntime.js';
import { onnxRuntimeConvolutionWrap } from './steps/onnxRuntimeConvolution.js';

export const ortArm: Kernel = {
  name: 'ort-arm',
  equation: 'y = rint(clamp(f32(acc + rint(b/(sx*sw))) * ((sx*sw)/sy))) + zp, acc in int16-wrapping pairs (k, k+8)',
  runsOn: 'ONNX Runtime CPU on ARM64 without dot product (Cortex-A53, A57, A72), int8 weights',
  runtime: 'onnxruntime',
  family: 'ort',
  origin: 'ONNX Runtime on ARM without dot product',
  sums: 'exact',
  confirm: null,
  arch: 'arm64',
  ops: onnxRuntimeOps(
    { accumulate: neonMlalInt16Wrap, multiplier: float32ProductFused },
    dynamicOnnxRuntimeArm,
    onnxRuntimeConvolutionWrap,
    onnxRuntimeTensors(addOnnxRuntime('neon')),
  ),
  opsInFloat: onnxRuntimeInFloat,
  onFloats: onnxRuntimeOnFloats,
};
