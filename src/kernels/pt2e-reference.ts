/**
 * y = clamp(rint(f32(v * f32(1 / sy))) + zp), v = sum of f32(sx * (x - zx)) * f32(sw * (w - zw)) + b in float32, any order
 *
 * Dequantize, float linear, quantize: no order of summation is the right one, so a value within the error bound of the
 * exact sum is no difference. The reciprocal is taken in float64, the zero point comes after rounding: not
 * torch.quantize_per_tensor. Source: quantized_decomposed.
 */
import type { Kernel } from '../nouns/kernel.js';
import { convolutions, decomposedOps, product, products } from './families.js';
import { pyTorchFloats } from './pyTorchFloats.js';
import { exact } from './steps/accumulate.js';
import { realBias } from './steps/bias.js';
import { dynamicDecomposed } from './steps/dynamic.js';
import { anyOrderFloat32 } from './steps/floatLinear.js';
import { float32ProductThenDivide } from './steps/multiplier.js';
import { roundThenOffset } from './steps/offsetAndClamp.js';
import { quantizeDecomposed } from './steps/quantize.js';
import { halfEven } from './steps/round.js';

const linear = product({
  float: { product: anyOrderFloat32, quantize: quantizeDecomposed },
  accumulate: exact,
  bias: realBias,
  multiplier: float32ProductThenDivide,
  round: halfEven,
  offsetAndClamp: roundThenOffset,
  bound: quantizeDecomposed,
});

const ops: Kernel['ops'] = {
  ...products(linear, dynamicDecomposed),
  ...convolutions(linear),
  ...decomposedOps(),
};

export const pt2eReference: Kernel = {
  name: 'pt2e-reference',
  equation: 'y = clamp(rint((sum of sx*(x-zx) * sw*(w-zw) + b in float32, any order) * (1/sy)) + zp)',
  runsOn: 'PyTorch PT2E before lowering, any CPU',
  runtime: 'pytorch',
  flow: 'pt2e-reference',
  family: 'pt2e',
  origin: 'PT2E reference (float linear)',
  sums: 'float',
  confirm: null,
  onFloats: pyTorchFloats,
  ops,
  opsInFloat: ops, // in float all the same
};
