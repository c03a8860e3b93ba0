/** Multipliers in float64: scripts, LiteRT's reference. sx, sw, sy: the scales as the file's doubles. */
import type { MultiplierStep, Product } from '../../nouns/kernel.js';
import type { QuantParams } from '../../nouns/value.js';
import type { Operation } from '../../nouns/written.js';
import { f32 } from '../../numeric/float.js';
import { addBias, multiplyBy, toOutputScale } from './operations.js';
import { perChannel64, scaleProduct32 } from './scales.js';
import { real64 } from './toReal.js';

/** One number a channel, then perhaps a division by the output's scale. */
interface Scaling {
  readonly factor: Float64Array | Float32Array;
  readonly divisor: number | null;
}

function float64Step(
  name: string,
  equation: string,
  numpy: { readonly factor: string; readonly divisor?: string },
  scalingOf: (product: Product, output: QuantParams) => Scaling,
): MultiplierStep {
  return {
    name,
    arithmetic: 'float64',
    equation,
    toSteps(product, output) {
      const { factor, divisor } = scalingOf(product, output);
      const real = (bias: number) => (bias === 0 ? 0 : bias / output.scale);
      if (divisor === null) return (acc, channel, bias) => acc * factor[channel] + real(bias);
      return (acc, channel, bias) => (acc * factor[channel]) / divisor + real(bias);
    },
    toReal: real64.scaler,
    operations(product, output, bias) {
      if (!output) return real64.operations(product, bias);
      const { factor, divisor } = scalingOf(product, output);
      const operations: Operation[] = [multiplyBy([numpy.factor, factor], 'float64')];
      if (divisor !== null) operations.push(toOutputScale(numpy.divisor!, divisor, true, 'float64'));
      return [...operations, ...addBias(bias && ((n) => bias(n) / output.scale), 'b / sy', 'float64')];
    },
    fixedPoint: null,
  };
}

function premultiplied64(
  name: string,
  equation: string,
  factor: string,
  multiplier: (x: number, w: number, y: number) => number,
): MultiplierStep {
  return float64Step(name, equation, { factor }, (product, output) => ({
    factor: perChannel64(product, (w) => multiplier(product.input.scale, w, output.scale)),
    divisor: null,
  }));
}

/** The forum thread's script: Python floats. */
export const float64Product = premultiplied64(
  'float64Product',
  'acc * ((sx * sw) / sy) in float64',
  '(sx * sw / sy)',
  (x, w, y) => (x * w) / y,
);

export const float64ProductThenDivide = float64Step(
  'float64ProductThenDivide',
  '(acc * (sx * sw)) / sy in float64',
  { factor: '(sx * sw)', divisor: 'sy' },
  (product, { scale }) => ({ factor: perChannel64(product, (w) => product.input.scale * w), divisor: scale }),
);

/** Scales stored as float32, arithmetic in float64: LiteRT's reference. */
export const float64OfFloat32Scales = premultiplied64(
  'float64OfFloat32Scales',
  'acc * ((f32(sx) * f32(sw)) / f32(sy)) in float64',
  '(float(f32(sx)) * float(f32(sw)) / float(f32(sy)))',
  (x, w, y) => (f32(x) * f32(w)) / f32(y),
);

/** A script with np.float32 scalars: int32 * float32 is float64 in numpy, but the multiplier was float32. */
export const float64OfFloat32Multiplier = premultiplied64(
  'float64OfFloat32Multiplier',
  'acc * f32(f32(sx * sw) / sy) in float64',
  'float(f32(sx) * f32(sw) / f32(sy))',
  (x, w, y) => f32(f32(f32(x) * f32(w)) / f32(y)),
);

/** The same script without a multiplier made in advance. */
export const float64OfFloat32Product = float64Step(
  'float64OfFloat32Product',
  '(acc * f32(sx * sw)) / f32(sy) in float64',
  { factor: 'float(f32(sx) * f32(sw))', divisor: 'float(f32(sy))' },
  (product, { scale }) => ({ factor: scaleProduct32(product), divisor: f32(scale) }),
);

/** QNNPACK's depthwise convolution of 3 x 3 x 3: its float32 multiplier, but a product in float64. */
export const float64OfFloat32Reciprocal = premultiplied64(
  'float64OfFloat32Reciprocal',
  'acc * f32(f32(sw * sx) * f32(1 / sy)) in float64',
  'float(f32(sw) * f32(sx) * (f32(1) / f32(sy)))',
  (x, w, y) => f32(f32(f32(w) * f32(x)) * f32(1 / f32(y))),
);
