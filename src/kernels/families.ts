/** What all kernels of a runtime share; a kernel file spreads one of these and adds its own steps. */
import type { Kernel, QuantizeStep } from '../nouns/kernel.js';
import type { QuantParams } from '../nouns/value.js';
import { exact } from './steps/accumulate.js';
import {
  floatBias,
  int32BiasDivision32,
  int32BiasReciprocal,
  int32BiasReciprocalHalfAway,
  realBias,
} from './steps/bias.js';
import { dequantizeExpanded, dequantizeFloat32 } from './steps/dequantize.js';
import { dynamicFbgemm, dynamicOnnxRuntime, dynamicQnnpack } from './steps/dynamic.js';
import { float32Product, float32ProductFused, float32ProductReciprocal } from './steps/multiplier.js';
import { clampRoundOffset, offsetClampRound, packInt16, roundThenOffset } from './steps/offsetAndClamp.js';
import {
  quantizeDivision,
  quantizeDivisionHalfAway,
  quantizeFma,
  quantizeOffsetFirst,
  quantizeReciprocal,
  quantizeTwoRoundings,
} from './steps/quantize.js';
import { halfEven, insideMultiplier } from './steps/round.js';

type Family<Own extends keyof Kernel> = Omit<Kernel, Own | 'name' | 'equation' | 'runsOn'>;

const six =
  (step: QuantizeStep) =>
  (params: QuantParams): number =>
    step.prepare(params)(6);

/** torch.quantize_per_tensor, dequantize and ReLU6 are the same for every engine. */
const pyTorch = {
  runtime: 'pytorch',
  quantize: quantizeFma,
  dequantize: dequantizeFloat32,
  relu6: six(quantizeTwoRoundings),
  floatLinear: null,
} as const;

export const fbgemmFamily: Family<'accumulate'> = {
  ...pyTorch,
  bias: floatBias,
  multiplier: float32ProductFused,
  round: halfEven,
  offsetAndClamp: packInt16,
  dynamic: dynamicFbgemm,
};

export const qnnpackFamily: Family<never> = {
  ...pyTorch,
  accumulate: exact,
  bias: int32BiasReciprocal,
  multiplier: float32ProductReciprocal,
  round: halfEven,
  offsetAndClamp: packInt16,
  dynamic: dynamicQnnpack,
};

export const oneDnnFamily: Family<'accumulate' | 'multiplier' | 'dynamic'> = {
  ...pyTorch,
  bias: realBias,
  round: halfEven,
  offsetAndClamp: offsetClampRound,
};

export const onnxRuntimeFamily: Family<'accumulate'> = {
  runtime: 'onnxruntime',
  quantize: quantizeDivision,
  dequantize: dequantizeFloat32,
  bias: int32BiasDivision32,
  multiplier: float32Product,
  round: halfEven,
  offsetAndClamp: clampRoundOffset,
  relu6: six(quantizeDivision),
  dynamic: dynamicOnnxRuntime,
  floatLinear: null,
};

/** A float32 bias of the file is rounded as TFLite's converter does. */
export const tfliteFamily: Family<'multiplier'> = {
  runtime: 'tflite',
  quantize: quantizeDivisionHalfAway,
  dequantize: dequantizeFloat32,
  accumulate: exact,
  bias: int32BiasReciprocalHalfAway,
  round: insideMultiplier,
  offsetAndClamp: roundThenOffset,
  relu6: six(quantizeDivisionHalfAway),
  dynamic: null,
  floatLinear: null,
};

/** ruy, and vector code for quantize and dequantize. */
export const tfliteOptimizedFamily: Family<'multiplier'> = {
  ...tfliteFamily,
  quantize: quantizeReciprocal,
  dequantize: dequantizeExpanded,
};

/** A float32 bias of the file is rounded as ExecuTorch does when it hands a layer to XNNPACK. */
export const xnnpackFamily: Family<'accumulate'> = {
  runtime: 'xnnpack',
  quantize: quantizeReciprocal,
  dequantize: dequantizeFloat32,
  bias: int32BiasDivision32,
  multiplier: float32Product,
  round: halfEven,
  offsetAndClamp: clampRoundOffset,
  relu6: six(quantizeOffsetFirst),
  dynamic: null,
  floatLinear: null,
};

export const numpyFamily: Family<'bias' | 'multiplier' | 'dequantize'> = {
  runtime: 'numpy',
  quantize: quantizeDivision,
  accumulate: exact,
  round: halfEven,
  offsetAndClamp: roundThenOffset,
  relu6: six(quantizeDivision),
  dynamic: null,
  floatLinear: null,
};
