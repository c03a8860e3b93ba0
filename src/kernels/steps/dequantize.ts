/** Codes to float32. s: scale, zp: zero point. */

import type { DequantizeStep } from '../../nouns/kernel.js';
import { f32 } from '../../numeric/float.js';

/** f32(f32(s) * f32(q - zp)): runtimes. */
export const dequantizeFloat32: DequantizeStep = {
  name: 'dequantizeFloat32',
  prepare({ scale, zeroPoint }) {
    const scale32 = f32(scale);
    return (code) => f32(scale32 * f32(code - zeroPoint));
  },
};

/** f32(f32(q * s) + f32(-zp * s)): TFLite's vector code. */
export const dequantizeExpanded: DequantizeStep = {
  name: 'dequantizeExpanded',
  prepare({ scale, zeroPoint }) {
    const scale32 = f32(scale);
    const offset = f32(-zeroPoint * scale32);
    return (code) => f32(f32(code * scale32) + offset);
  },
};

/** f32(s * (q - zp)) with the product in float64: scripts with Python floats. */
export const dequantizeFloat64: DequantizeStep = {
  name: 'dequantizeFloat64',
  prepare:
    ({ scale, zeroPoint }) =>
    (code) =>
      f32(scale * (code - zeroPoint)),
};
