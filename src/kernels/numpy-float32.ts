/**
 * y = clip(rint(f32(f32(acc + bq) * f32(f32(sx * sw) / sy))) + zp), bq = rint(f32(b / f32(sx * sw))), acc exact
 *
 * The same script with scales and accumulator cast to float32: the arithmetic of ort.
 */
import type { Kernel } from '../nouns/kernel.js';
import { numpyFamily } from './families.js';
import { int32BiasDivision32 } from './steps/bias.js';
import { dequantizeFloat32 } from './steps/dequantize.js';
import { float32Product } from './steps/multiplier.js';

export const numpyFloat32: Kernel = {
  ...numpyFamily,
  name: 'numpy-float32',
  equation: 'y = clip(rint(f32(acc + rint(b/(sx*sw))) * ((sx*sw)/sy)) + zp), acc exact',
  runsOn: 'numpy scripts with float32 scales and a float32 accumulator',
  bias: int32BiasDivision32,
  multiplier: float32Product,
  dequantize: dequantizeFloat32,
};
