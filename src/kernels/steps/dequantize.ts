/** Codes to float32: the same numbers wherever the scale is a float32 already. */
import { f32 } from '../../numeric/float.js';
import type { DequantizeStep } from '../../types.js';

/** f32(f32(s) * f32(q - zp)): runtimes. */
export const dequantizeFloat32: DequantizeStep = {
  name: 'dequantizeFloat32',
  prepare({ scale, zeroPoint }) {
    const scale32 = f32(scale);
    return (code) => f32(scale32 * f32(code - zeroPoint));
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
