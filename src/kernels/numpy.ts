/**
 * y = clip(rint((acc + bq) * ((sx * sw) / sy)) + zp), all float64, bq = rint(b / (sx * sw)), acc exact
 *
 * What a script with Python floats computes: int32 * float is float64 in numpy 1 and 2.
 */
import type { Kernel } from '../nouns/kernel.js';
import { numpyOps } from './families.js';
import { int32BiasFloat64 } from './steps/bias.js';
import { dequantizeFloat64 } from './steps/dequantize.js';
import { dynamicNumpy } from './steps/dynamic.js';
import { float64Product, float64ProductThenDivide } from './steps/multiplier.js';
import { rescaleFloat64 } from './steps/rescale.js';

export const numpy: Kernel = {
  name: 'numpy',
  equation: 'y = clip(rint((acc + rint(b/(sx*sw))) * ((sx*sw)/sy)) + zp) in float64, acc exact',
  runsOn: 'numpy scripts with Python float scales',
  runtime: 'numpy',
  family: 'numpy',
  origin: 'a numpy script',
  sums: 'exact',
  confirm: null,
  ops: numpyOps(
    { bias: int32BiasFloat64, multiplier: float64Product, alsoMultipliers: [float64ProductThenDivide] },
    dynamicNumpy,
    { dequantize: dequantizeFloat64, rescale: rescaleFloat64 },
  ),
};
