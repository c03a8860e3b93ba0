/** Codes to float32. s: scale, zp: zero point. */

import type { DequantizeStep, TensorValue } from '../../nouns/kernel.js';
import { float32s } from '../../numeric/array.js';
import { f32, fma32 } from '../../numeric/float.js';
import { quantized, remembered } from './call.js';

/** Runtimes. */
export const dequantizeFloat32: DequantizeStep = {
  name: 'dequantizeFloat32',
  equation: 'f32(f32(s) * f32(x - zp))',
  prepare({ scale, zeroPoint }) {
    const scale32 = f32(scale);
    return (code) => f32(scale32 * f32(code - zeroPoint));
  },
  numpy: ({ x, s, zp }) => `f32(${s}) * f32(${x} - ${zp})`,
};

/** TFLite's vector code. */
export const dequantizeExpanded: DequantizeStep = {
  name: 'dequantizeExpanded',
  equation: 'f32(f32(x * s) + f32(-zp * s)), s = f32(scale)',
  prepare({ scale, zeroPoint }) {
    const scale32 = f32(scale);
    const offset = f32(-zeroPoint * scale32);
    return (code) => f32(f32(code * scale32) + offset);
  },
  numpy: ({ x, s, zp }) => `f32(${x} * float(f32(${s}))) + f32(-${zp} * float(f32(${s})))`,
};

/** TFLite's builtin kernels: vector code for codes of 8 bits, one rounding for others. */
export const dequantizeBuiltin: DequantizeStep = {
  ...dequantizeExpanded,
  prepare: (params) => (params.dtype === 'int16' ? dequantizeFloat32 : dequantizeExpanded).prepare(params),
};

/** PyTorch's vector code of ops on whole values; torch.dequantize is dequantizeFloat32. */
export const dequantizeFused: DequantizeStep = {
  name: 'dequantizeFused',
  equation: 'fma(s, x, f32(s * -zp)), s = f32(scale)',
  prepare({ scale, zeroPoint }) {
    const scale32 = f32(scale);
    const offset = f32(scale32 * -zeroPoint);
    return (code) => fma32(scale32, code, offset);
  },
  // both are exact in float64
  numpy: ({ x, s, zp }) => `f32(float(f32(${s})) * ${x} + float(f32(-${zp} * float(f32(${s})))))`,
};

/** Scripts with Python floats: the product in float64. */
export const dequantizeFloat64: DequantizeStep = {
  name: 'dequantizeFloat64',
  equation: 'f32(s * (x - zp)) in float64',
  prepare:
    ({ scale, zeroPoint }) =>
    (code) =>
      f32(scale * (code - zeroPoint)),
  numpy: ({ x, s, zp }) => `f32(${s} * (${x} - ${zp}))`,
};

export const dequantizeSteps: readonly DequantizeStep[] = [dequantizeFloat32, dequantizeExpanded, dequantizeFloat64];

/** All values of an input. */
export function dequantized(input: TensorValue): Float32Array {
  const params = quantized(input);
  return float32s(input.data, remembered(params, dequantizeFloat32.prepare(params)));
}
