/**
 * y = clip(rint(f32(f32(acc + bq) * f32(f32(sx * sw) / sy))) + zp), bq = rint(f32(b / f32(sx * sw))), acc exact
 *
 * The same script with scales and accumulator cast to float32: the arithmetic of ort.
 */
import type { Kernel } from '../nouns/kernel.js';
import { numpyOps } from './families.js';
import { int32BiasDivision32 } from './steps/bias.js';
import { dequantizeFloat32 } from './steps/dequantize.js';
import { dynamicNumpyFloat32 } from './steps/dynamic.js';
import { float32Product, float32ProductThenDivide } from './steps/multiplier.js';

export const numpyFloat32: Kernel = {
  name: 'numpy-float32',
  equation: 'y = clip(rint(f32(acc + rint(b/(sx*sw))) * ((sx*sw)/sy)) + zp), acc exact',
  runsOn: 'numpy scripts with float32 scales and a float32 accumulator',
  runtime: 'numpy',
  family: 'numpy',
  origin: 'a numpy script in float32',
  sums: 'exact',
  confirm: null,
  ops: numpyOps(
    { bias: int32BiasDivision32, multiplier: float32Product, alsoMultipliers: [float32ProductThenDivide] },
    dynamicNumpyFloat32,
    { dequantize: dequantizeFloat32 },
  ),
};
