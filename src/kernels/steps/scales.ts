import type { Linear } from '../../nouns/kernel.js';
import { f32 } from '../../numeric/float.js';

/** The double of the file, for one channel. */
export function weightScaleOf(linear: Linear, channel: number): number {
  return linear.weightScale[linear.weightScale.length === 1 ? 0 : channel];
}

/** One number a channel, float32. */
export function perChannel32(linear: Linear, value: (weightScale: number) => number): Float32Array {
  return Float32Array.from(perChannel64(linear, value));
}

/** One number a channel, float64. */
export function perChannel64(linear: Linear, value: (weightScale: number) => number): Float64Array {
  const values = new Float64Array(linear.outFeatures);
  for (let channel = 0; channel < values.length; channel++) values[channel] = value(weightScaleOf(linear, channel));
  return values;
}

/** f32(f32(sx) * f32(sw)), one a channel. */
export function scaleProduct32(linear: Linear): Float32Array {
  const xScale = f32(linear.input.scale);
  return perChannel32(linear, (weightScale) => f32(xScale * f32(weightScale)));
}
