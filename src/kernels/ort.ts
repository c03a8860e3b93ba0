/**
 * y = rint(clamp(f32(f32(acc + bq) * m), lo - zp, hi - zp)) + zp, m = f32(f32(sx * sw) / sy), acc exact
 *
 * bq = rint(f32(b / f32(sx * sw))), made when the model is loaded. Dynamic: DynamicQuantizeLinear, MatMulIntegerToFloat.
 * A ReLU that is not fused (zp above the smallest code) runs in float and may differ near ties.
 * Source: quant_gemm.cc, quantize_linear_matmul.cc, mlas/lib/quantize.cpp.
 */
import type { Kernel } from '../nouns/kernel.js';
import { onnxRuntimeInFloat, onnxRuntimeMixed, onnxRuntimeOnFloatsInBlocks, onnxRuntimeOps } from './onnxRuntime.js';
import { exact } from './steps/accumulate.js';

export const ort: Kernel = {
  name: 'ort',
  equation: 'y = rint(clamp(f32(acc + rint(b/(sx*sw))) * ((sx*sw)/sy))) + zp, acc exact',
  runsOn:
    'ONNX Runtime CPU: x86 with VNNI, or without AVX2, ARM64 with dot product, and QLinearMatMul, QGemm, MatMulInteger on u8u8 and s8s8 anywhere',
  runtime: 'onnxruntime',
  family: 'ort',
  origin: 'ONNX Runtime on a CPU with VNNI',
  sums: 'exact',
  confirm: null,
  ops: { ...onnxRuntimeOps({ accumulate: exact }), ...onnxRuntimeMixed('int32', exact) },
  opsInFloat: onnxRuntimeInFloat,
  onFloats: onnxRuntimeOnFloatsInBlocks,
};
